import { describe, expect, it } from "vitest";
import { MAX_ROWS } from "../src/schema.ts";
import { bodyOf, FAR_TRIP, TRIP } from "./support/api.ts";
import { columns } from "./support/grpc.ts";
import {
  app,
  changed,
  digest,
  INFER,
  model,
  post,
  predict,
  refusal,
  service,
} from "./support/inference-rest.ts";

describe("an infer call", () => {
  it("gives the fares of /api/predict/, bit for bit, with id, version, color and digest", async () => {
    const data = [
      TRIP,
      { ...TRIP, passenger_count: 5 },
      { pickup_datetime: TRIP.pickup_datetime, ...FAR_TRIP },
    ];
    const { predictions } = await bodyOf(await predict({ data }));
    const answer = await bodyOf(await post({ id: "a 1", inputs: columns(data) }));
    expect(answer).toEqual({
      model_name: "taxi-fare",
      model_version: "1.2.3",
      id: "a 1",
      parameters: { color: service.color, digest },
      outputs: [
        {
          name: "fare_amount",
          datatype: "FP64",
          shape: [3],
          data: predictions.map(({ fare_amount }: { fare_amount: number }) => fare_amount),
        },
        { name: "extrapolated", datatype: "BOOL", shape: [3], data: [false, false, true] },
      ],
    });
  });

  it("gives the golden rows' fares", async () => {
    const trips = model.artifact.golden.map(({ trip }) => trip);
    const { outputs } = await bodyOf(await post({ inputs: columns(trips as never) }));
    expect(outputs[0].data).toEqual(trips.map((trip) => model.predict(trip).fare_amount));
  });

  it("may name its version, and leave out id and time", async () => {
    const { pickup_datetime: _, ...timeless } = TRIP;
    const answer = await bodyOf(
      await post({ inputs: columns([timeless]) }, "/v2/models/taxi-fare/versions/1.2.3/infer"),
    );
    expect(answer).not.toHaveProperty("id");
    expect(answer.outputs[0].data).toEqual([model.predict(timeless).fare_amount]);
  });

  it("gives only the outputs asked for, in their order", async () => {
    const names = async (outputs: unknown) => {
      const answer = await bodyOf(await post({ inputs: columns([TRIP]), outputs }));
      return answer.outputs.map(({ name }: { name: string }) => name);
    };
    expect(await names([{ name: "extrapolated" }])).toEqual(["extrapolated"]);
    expect(await names([{ name: "extrapolated" }, { name: "fare_amount" }])).toEqual([
      "extrapolated",
      "fare_amount",
    ]);
    expect(await names([])).toEqual(["fare_amount", "extrapolated"]);
  });

  it.each([
    ["a column", { shape: [1, 1], data: [40.7383] }],
    ["nested data", { shape: [1, 1], data: [[40.7383]] }],
  ])("takes %s", async (_, change) => {
    const { outputs } = await bodyOf(await post(changed("pickup_latitude", change)));
    expect(outputs[0].data).toEqual([model.predict(TRIP).fare_amount]);
  });

  it("takes any datatype of numbers, and rounds to float32 what is declared so", async () => {
    for (const datatype of ["UINT8", "INT16", "INT32", "FP64", "FP32"])
      expect((await post(changed("passenger_count", { datatype }))).status, datatype).toBe(200);
    const { outputs } = await bodyOf(
      await post(changed("dropoff_latitude", { datatype: "FP32", data: [40.9123456] })),
    );
    const rounded = { ...TRIP, dropoff_latitude: Math.fround(40.9123456) };
    expect(outputs[0].data).toEqual([model.predict(rounded).fare_amount]);
  });

  it("takes parameters that change nothing, and a body without Content-Type", async () => {
    const inputs = columns([TRIP]).map((tensor) => ({ ...tensor, parameters: { content_type: "np" } }));
    const body = JSON.stringify({ inputs, parameters: { a: 1, b: true, c: "x" } });
    const bytes = new TextEncoder().encode(body);
    const response = await app.request(INFER, { method: "POST", body: bytes });
    expect(response.status).toBe(200);
  });

  it("predicts 10,000 trips at once, and not one more", async () => {
    const rows = Array.from({ length: MAX_ROWS }, () => TRIP);
    const { outputs } = await bodyOf(await post({ inputs: columns(rows) }));
    expect(outputs[0].shape).toEqual([MAX_ROWS]);
    expect(await refusal(post({ inputs: columns([...rows, TRIP]) }), 400)).toBe(
      "The inputs have 10001 trips: expected at most 10000.",
    );
  });
});
