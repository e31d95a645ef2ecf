import { compressionAlgorithms } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { MAX_ROWS } from "../src/schema.ts";
import { TRIP } from "./support/api.ts";
import { columns, InferenceClient, raw, tensor, typed } from "./support/grpc.ts";
import { doubles, far, fares, infer, refusal, running } from "./support/running-grpc.ts";

describe("ModelInfer", () => {
  const rows = [TRIP, { ...TRIP, passenger_count: 4 }, far];

  it("gives the fares of /api/predict/, bit for bit, from typed contents", async () => {
    const { value, error } = await infer({ id: "x-1", modelVersion: "1.2.3", inputs: typed(rows) });
    expect(error).toBeNull();
    expect(value).toMatchObject({ modelName: "taxi-fare", modelVersion: "1.2.3", id: "x-1" });
    expect(value.parameters.color).toMatchObject({ stringParam: "blue" });
    expect(value.parameters.digest).toMatchObject({ stringParam: running.model.artifact.digest });
    const [fare, extrapolated] = value.outputs;
    expect(fare).toMatchObject({ name: "fare_amount", datatype: "FP64", shape: [3] });
    expect(doubles(fare.contents.fp64Contents)).toBe(doubles(await fares(rows)));
    expect(extrapolated).toMatchObject({ name: "extrapolated", datatype: "BOOL", shape: [3] });
    expect(extrapolated.contents.boolContents).toEqual([false, false, true]);
    expect(value.rawOutputContents).toEqual([]);
  });

  it("gives the same as raw contents to those who send raw contents", async () => {
    const { value, error } = await infer(raw(rows));
    expect(error).toBeNull();
    const [fare, extrapolated] = value.rawOutputContents;
    expect(fare.toString("hex")).toBe(doubles(await fares(rows)));
    expect([...extrapolated]).toEqual([0, 0, 1]);
    expect(value.outputs.every(({ contents }: { contents?: unknown }) => !contents)).toBe(true);
  });

  it("gives the golden rows' fares", async () => {
    const trips = running.model.artifact.golden.map(({ trip }) => trip);
    const { value } = await infer({ inputs: typed(trips as never) });
    expect(value.outputs[0].contents.fp64Contents).toEqual(
      trips.map((trip) => running.model.predict(trip).fare_amount),
    );
  });

  it("gives only the outputs asked for, without time at a typical one", async () => {
    const { pickup_datetime: _, ...timeless } = TRIP;
    const { value } = await infer({ inputs: typed([timeless]), outputs: [{ name: "fare_amount" }] });
    expect(value.outputs).toHaveLength(1);
    expect(value.outputs[0].contents.fp64Contents).toEqual([running.model.predict(timeless).fare_amount]);
    const { value: rawValue } = await infer({ ...raw([TRIP]), outputs: [{ name: "extrapolated" }] });
    expect(rawValue.rawOutputContents).toEqual([Buffer.from([0])]);
  });

  it.each([
    ["UINT8", [4]],
    ["INT32", [4]],
    ["FP32", [4]],
    ["FP64", [4]],
  ])("takes passengers as %s, and a column as a shape", async (datatype, data) => {
    const inputs = typed([TRIP]).map((each) =>
      each.name === "passenger_count" ? tensor(each.name, datatype, data, [1, 1]) : each,
    );
    const { value } = await infer({ inputs });
    expect(value.outputs[0].contents.fp64Contents).toEqual(await fares([{ ...TRIP, passenger_count: 4 }]));
  });

  it.each([
    ["INT8", Buffer.from([4])],
    ["UINT16", Buffer.from([4, 0])],
    ["INT16", Buffer.from([4, 0])],
    ["UINT32", Buffer.from([4, 0, 0, 0])],
    ["UINT64", Buffer.from([4, 0, 0, 0, 0, 0, 0, 0])],
    ["FP32", Buffer.from(Float32Array.of(4).buffer)],
  ])("reads %s in raw contents, little-endian", async (datatype, bytes) => {
    const request = raw([TRIP]);
    const at = request.inputs.findIndex(({ name }) => name === "passenger_count");
    request.inputs[at] = { ...request.inputs[at]!, datatype };
    request.rawInputContents[at] = bytes;
    const { value, error } = await infer({ ...request, outputs: [{ name: "fare_amount" }] });
    expect(error).toBeNull();
    expect(value.rawOutputContents[0].readDoubleLE()).toBe(
      (await fares([{ ...TRIP, passenger_count: 4 }]))[0],
    );
  });

  it("predicts 10,000 trips at once, and not one more", async () => {
    const many = Array.from({ length: MAX_ROWS }, () => TRIP);
    for (const request of [{ inputs: typed(many) }, raw(many)])
      expect((await infer(request)).value.outputs[0].shape).toEqual([MAX_ROWS]);
    expect(await refusal(raw([...many, TRIP]))).toBe("The inputs have 10001 trips: expected at most 10000.");
  });

  it("takes compressed messages", async () => {
    const zipped = running.client(InferenceClient, {
      "grpc.default_compression_algorithm": compressionAlgorithms.gzip,
    });
    expect((await infer({ inputs: typed(rows) }, zipped)).error).toBeNull();
  });
});

describe("the same numbers", () => {
  it("come over REST, typed and raw contents", async () => {
    const rows = running.model.artifact.golden.map(({ trip }) => trip) as never;
    const inputs = columns(rows);
    const init = {
      method: "POST",
      body: JSON.stringify({ inputs }),
      headers: { "Content-Type": "application/json" },
    };
    const response = await fetch(`${running.url}/v2/models/taxi-fare/infer`, init);
    const { outputs } = (await response.json()) as { outputs: { data: number[] }[] };
    const rawFares = (await infer(raw(rows))).value.rawOutputContents[0].toString("hex");
    const typedFares = (await infer({ inputs: typed(rows) })).value.outputs[0].contents.fp64Contents;
    expect([rawFares, doubles(typedFares)]).toEqual([doubles(outputs[0]!.data), doubles(outputs[0]!.data)]);
  });
});
