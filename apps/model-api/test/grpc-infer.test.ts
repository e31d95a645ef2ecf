import { type Client, compressionAlgorithms, Metadata, status } from "@grpc/grpc-js";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_ROWS } from "../src/schema.ts";
import { FAR_TRIP, TRIP } from "./support/api.ts";
import {
  call,
  columns,
  InferenceClient,
  type Running,
  raw,
  startGrpc,
  tensor,
  typed,
} from "./support/grpc.ts";

let running: Running;
let client: Client;

beforeAll(async () => {
  running = await startGrpc();
  client = running.client(InferenceClient);
});

afterAll(() => running.stop());

const infer = (request: object, to = client) =>
  call(to, "ModelInfer", { modelName: "taxi-fare", ...request });
const far = { pickup_datetime: TRIP.pickup_datetime, ...FAR_TRIP };
/** As the client's generated code would have them; -0 and the last bit count. */
const doubles = (values: readonly number[]) => Buffer.from(Float64Array.from(values).buffer).toString("hex");

async function fares(rows: readonly object[]): Promise<number[]> {
  const init = { method: "POST", headers: { "Content-Type": "application/json" } };
  const response = await fetch(`${running.url}/api/predict/`, {
    ...init,
    body: JSON.stringify({ data: rows }),
  });
  const { predictions } = (await response.json()) as { predictions: { fare_amount: number }[] };
  return predictions.map(({ fare_amount }) => fare_amount);
}

async function refusal(request: object, code = status.INVALID_ARGUMENT): Promise<string> {
  const { error, metadata } = await infer(request);
  expect(error?.code).toBe(code);
  expect(metadata.get("x-model-version")).toEqual(["1.2.3"]);
  return error!.details;
}

describe("the server and its model, over gRPC", () => {
  it("are alive, ready and described as over REST", async () => {
    expect((await call(client, "ServerLive")).value).toEqual({ live: true });
    expect((await call(client, "ServerReady")).value).toEqual({ ready: true });
    expect((await call(client, "ModelReady", { name: "taxi-fare", version: "1.2.3" })).value).toEqual({
      ready: true,
    });
    const rest = async (path: string) => (await fetch(`${running.url}${path}`)).json() as Promise<object>;
    expect((await call(client, "ServerMetadata")).value).toEqual(await rest("/v2"));
    const { value } = await call(client, "ModelMetadata", { name: "taxi-fare" });
    expect(value).toEqual(await rest("/v2/models/taxi-fare"));
  });

  it.each(["ModelReady", "ModelMetadata"])(
    "are NOT_FOUND for another name or version (%s)",
    async (method) => {
      const unknown = await call(client, method, { name: "other" });
      expect(unknown.error).toMatchObject({
        code: status.NOT_FOUND,
        details: 'Model "other" is unknown: this server has "taxi-fare".',
      });
      const { error } = await call(client, method, { name: "taxi-fare", version: "9" });
      expect(error?.code).toBe(status.NOT_FOUND);
    },
  );

  it("say in every answer which model it is, also when they refuse", async () => {
    const { digest } = running.model.artifact;
    for (const request of [{ inputs: typed([TRIP]) }, {}]) {
      const { metadata } = await infer(request);
      expect(metadata.get("x-model-version")).toEqual(["1.2.3"]);
      expect(metadata.get("x-model-digest")).toEqual([digest]);
    }
  });
});

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

describe("ModelInfer refuses with INVALID_ARGUMENT", () => {
  const one = (name: string, datatype: string, data: readonly unknown[], shape?: number[]) => ({
    inputs: typed([TRIP]).map((each) => (each.name === name ? tensor(name, datatype, data, shape) : each)),
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -91])("a latitude of %d", async (value) => {
    expect(await refusal(one("pickup_latitude", "FP64", [value]))).toBe(
      `The only row is invalid; nothing was predicted. Trip 0, pickup_latitude: expected a number from -90 to 90, got ${value}.`,
    );
  });

  it("invalid trips with the sentences of /api/predict/, whatever letters are in them", async () => {
    const row = { ...TRIP, passenger_count: 7, pickup_datetime: "morgen früh, 100 % 🚕" };
    const headers = { "Content-Type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify({ data: [row] }) };
    const { errors } = (await (await fetch(`${running.url}/api/predict/`, init)).json()) as {
      errors: { field: string; reason: string }[];
    };
    const details = await refusal({ inputs: typed([row]) });
    for (const { field, reason } of errors) expect(details).toContain(`Trip 0, ${field}: ${reason}.`);
  });

  it.each([
    [
      "a number beyond 2^53",
      one("passenger_count", "INT64", ["9223372036854775807"]),
      /from 1 to 6, got 9223372036854776000/,
    ],
    [
      "another datatype",
      one("pickup_latitude", "BOOL", [true]),
      /^Input "pickup_latitude" has datatype "BOOL"/,
    ],
    [
      "no datatype",
      one("pickup_latitude", "FP64", [1]).inputs.map((t) => ({ ...t, datatype: "" })),
      /has datatype ""/,
    ],
    ["a wrong shape", one("pickup_latitude", "FP64", [1], [1, 2]), /has shape \[1,2\]/],
    [
      "a huge shape",
      one("pickup_latitude", "FP64", [1], [2 ** 40]),
      /"pickup_longitude" has 1 elements and "pickup_latitude" has 1099511627776/,
    ],
    ["a negative shape", one("pickup_latitude", "FP64", [1], [-1]), /has shape \[-1\]/],
    [
      "too few elements",
      one("pickup_latitude", "FP64", [], [1]),
      /has 0 elements of data: its shape and datatype want 1\./,
    ],
    [
      "text that is no UTF-8",
      {
        inputs: one("pickup_datetime", "BYTES", []).inputs.map((t) =>
          t.name === "pickup_datetime"
            ? { ...t, shape: [1], contents: { bytesContents: [Buffer.from([0xff, 0xfe])] } }
            : t,
        ),
      },
      /Trip 0, pickup_datetime: expected text such as/,
    ],
    ["no inputs", {}, /^"inputs" is empty/],
    ["a missing tensor", { inputs: typed([TRIP]).slice(1) }, 'Input "pickup_latitude" is missing.'],
    [
      "a tensor twice",
      { inputs: [...typed([TRIP]), ...typed([TRIP])] },
      'Input "pickup_latitude" is there twice.',
    ],
    [
      "an unknown tensor",
      { inputs: [...typed([TRIP]), tensor("tip", "FP64", [1])] },
      /^Input "tip" is unknown/,
    ],
    ["an unknown output", { inputs: typed([TRIP]), outputs: [{ name: "tip" }] }, /^Output "tip" is unknown/],
    [
      "no trips",
      { inputs: typed([TRIP]).map((t) => ({ ...t, shape: [0], contents: {} })) },
      "The inputs are empty: expected at least one trip.",
    ],
    [
      "contents in another list",
      {
        inputs: one("pickup_latitude", "FP64", [1]).inputs.map((t) =>
          t.name === "pickup_latitude" ? { ...t, contents: { fp32Contents: [1] } } : t,
        ),
      },
      'Input "pickup_latitude" has fp32_contents: FP64 elements go into fp64_contents.',
    ],
    [
      "both kinds of contents",
      { inputs: typed([TRIP]), rawInputContents: raw([TRIP]).rawInputContents },
      /both contents and raw_input_contents/,
    ],
    [
      "too few raw contents",
      { ...raw([TRIP]), rawInputContents: [Buffer.alloc(8)] },
      "raw_input_contents has 1 items for 6 inputs: expected one for each.",
    ],
    [
      "raw contents that are too short",
      { ...raw([TRIP]), rawInputContents: raw([TRIP]).rawInputContents.map((b) => b.subarray(1)) },
      /has 7 bytes of data: its shape and datatype want 8\./,
    ],
    [
      "raw text cut off",
      {
        ...raw([TRIP]),
        rawInputContents: raw([TRIP]).rawInputContents.with(5, Buffer.from([9, 0, 0, 0, 65])),
      },
      /raw contents are not 1 texts/,
    ],
    [
      "raw text with more behind it",
      {
        ...raw([TRIP]),
        rawInputContents: raw([TRIP]).rawInputContents.with(5, Buffer.from([1, 0, 0, 0, 65, 66])),
      },
      /raw contents are not 1 texts/,
    ],
  ])("%s", async (_, request, reason) => {
    const details = await refusal(Array.isArray(request) ? { inputs: request } : request);
    expect(details).toEqual(reason instanceof RegExp ? expect.stringMatching(reason) : reason);
  });
});

describe("other endings of a call", () => {
  it("NOT_FOUND for another model or version", async () => {
    const request = { inputs: typed([TRIP]) };
    expect(await refusal({ ...request, modelName: "m" }, status.NOT_FOUND)).toMatch(/^Model "m" is unknown/);
    expect(await refusal({ ...request, modelVersion: "2" }, status.NOT_FOUND)).toMatch(
      /^Version "2" of model/,
    );
  });

  it("UNAVAILABLE without a model, which is not ready then", async () => {
    const without = await startGrpc({ model: false });
    const client = without.client(InferenceClient);
    const { error, metadata } = await infer({ inputs: typed([TRIP]) }, client);
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: "No model is loaded." });
    expect(metadata.get("x-model-version")).toEqual(["none"]);
    expect((await call(client, "ServerReady")).value).toEqual({ ready: false });
    expect((await call(client, "ServerLive")).value).toEqual({ live: true });
    expect((await call(client, "ModelReady", { name: "taxi-fare" })).value).toEqual({ ready: false });
    expect((await call(client, "ModelMetadata", { name: "taxi-fare" })).error?.code).toBe(status.UNAVAILABLE);
    without.stop();
  });

  it("RESOURCE_EXHAUSTED for a message over the limit, compressed or not", async () => {
    const small = await startGrpc({ bodyLimit: 2048 });
    for (const options of [{}, { "grpc.default_compression_algorithm": compressionAlgorithms.gzip }]) {
      const request = { inputs: typed(Array.from({ length: 100 }, () => TRIP)) };
      const { error } = await infer(request, small.client(InferenceClient, options));
      expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
      expect(error?.details).toMatch(/2048/);
    }
    expect((await infer({ inputs: typed([TRIP]) }, small.client(InferenceClient))).error).toBeNull();
    small.stop();
  });

  it("INTERNAL for a defect, whose reason stays in the log", async () => {
    const lines: string[] = [];
    const broken = await startGrpc({ log: pino({ level: "error" }, { write: (line) => lines.push(line) }) });
    Object.assign(broken.service.model!, {
      predict: () => {
        throw new Error("secret");
      },
    });
    const { error } = await infer({ inputs: typed([TRIP]) }, broken.client(InferenceClient));
    expect(error?.code).toBe(status.INTERNAL);
    expect(error?.message).not.toContain("secret");
    expect(lines.join()).toContain("secret");
    broken.stop();
  });

  it("DEADLINE_EXCEEDED by the client's clock or ours, and the next call is answered", async () => {
    const { error } = await call(
      client,
      "ModelInfer",
      { modelName: "taxi-fare" },
      { deadline: Date.now() - 1 },
    );
    expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    const metadata = new Metadata();
    metadata.set("grpc-timeout", "0m");
    const ours = await call(
      client,
      "ModelInfer",
      { modelName: "taxi-fare", inputs: typed([TRIP]) },
      {
        deadline: Number.POSITIVE_INFINITY,
        metadata,
      },
    );
    expect(ours.error?.code).toBe(status.DEADLINE_EXCEEDED);
    expect((await infer({ inputs: typed([TRIP]) })).error).toBeNull();
  });

  it("an answer, however far away the deadline is", async () => {
    const metadata = new Metadata();
    metadata.set("grpc-timeout", "99999999H");
    const request = { modelName: "taxi-fare", inputs: typed([TRIP]) };
    const { error } = await call(client, "ModelInfer", request, {
      deadline: Number.POSITIVE_INFINITY,
      metadata,
    });
    expect(error).toBeNull();
  });

  it("UNIMPLEMENTED for what the protocol's extensions have and this server has not", async () => {
    const { path } = (InferenceClient.service as Record<string, { path: string }>).ServerLive!;
    const bytes = Buffer.alloc(0);
    for (const method of ["/inference.GRPCInferenceService/ModelStreamInfer", "/x.Y/Z", `${path}X`]) {
      const { promise, resolve } = Promise.withResolvers<number>();
      const identity = (message: Buffer) => message;
      client.makeUnaryRequest(method, identity, identity, bytes, (error) => resolve(error?.code ?? 0));
      expect(await promise, method).toBe(status.UNIMPLEMENTED);
    }
  });

  it("are counted by method and status, and never by a name that a client made up", async () => {
    const text = await (await fetch(`${running.url}/metrics`)).text();
    const infers = 'model_api_grpc_requests_total{method="/inference.GRPCInferenceService/ModelInfer"';
    for (const code of ["OK", "InvalidArgument", "NotFound", "DeadlineExceeded"])
      expect(text).toContain(`${infers},code="${code}"}`);
    expect(text).toContain('model_api_grpc_requests_total{method="unmatched",code="Unimplemented"} 3');
    expect(text).not.toContain("/x.Y/Z");
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
