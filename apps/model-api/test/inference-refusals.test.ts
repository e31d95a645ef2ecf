import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bodyOf, FAR_TRIP, TRIP, testApi } from "./support/api.ts";
import { columns } from "./support/grpc.ts";
import { changed, INFER, post, predict, refusal } from "./support/inference-rest.ts";

describe("an infer call is refused", () => {
  it("with the sentences of /api/predict/ for each trip, up to ten", async () => {
    const row = { ...TRIP, pickup_latitude: 91, passenger_count: 0, pickup_datetime: "soon" };
    const { errors } = await bodyOf(await predict({ data: [TRIP, row] }));
    const sentences = errors.map(
      ({ index, field, reason }: { index: number; field: string; reason: string }) =>
        `Trip ${index}, ${field}: ${reason}.`,
    );
    expect(sentences).toHaveLength(3);
    expect(await refusal(post({ inputs: columns([TRIP, row]) }), 400)).toBe(
      ["1 of 2 rows is invalid; nothing was predicted.", ...sentences].join(" "),
    );
    const many = await refusal(post({ inputs: columns(Array.from({ length: 200 }, () => row)) }), 400);
    expect(many.match(/Trip /g)).toHaveLength(10);
    expect(many).toMatch(/ 590 more\.$/);
  });

  it.each([
    [
      "pickup_latitude",
      { name: "latitude" },
      /^Input "latitude" is unknown: expected pickup_latitude, .*pickup_datetime\.$/,
    ],
    ["passenger_count", { name: "pickup_latitude" }, 'Input "pickup_latitude" is there twice.'],
    [
      "pickup_latitude",
      { datatype: "BOOL" },
      /^Input "pickup_latitude" has datatype "BOOL": expected FP64, FP32, INT8, /,
    ],
    ["pickup_latitude", { datatype: "FP16" }, /has datatype "FP16"/],
    ["pickup_datetime", { datatype: "FP64" }, 'Input "pickup_datetime" has datatype "FP64": expected BYTES.'],
    [
      "pickup_latitude",
      { shape: [] },
      'Input "pickup_latitude" has shape []: expected [N] or [N,1] for N trips.',
    ],
    ["pickup_latitude", { shape: [1, 2] }, /has shape \[1,2\]/],
    ["pickup_latitude", { shape: [1, 1, 1] }, /has shape \[1,1,1\]/],
    ["pickup_latitude", { shape: [-1] }, /has shape \[-1\]/],
    ["pickup_latitude", { shape: [1e30] }, /has shape \[1e\+30\]/],
    ["pickup_latitude", { shape: Array(5000).fill(1) }, /has shape of 5000 dimensions/],
    [
      "pickup_latitude",
      { shape: "1" },
      /^Input "pickup_latitude" has no "shape": expected an array of whole numbers\.$/,
    ],
    ["pickup_latitude", { shape: [1.5] }, /has no "shape"/],
    [
      "passenger_count",
      { shape: [2] },
      'Input "passenger_count" has 2 elements and "pickup_latitude" has 1: expected one for each trip.',
    ],
    [
      "pickup_latitude",
      { data: [] },
      'Input "pickup_latitude" has 0 elements of data: its shape and datatype want 1.',
    ],
    ["pickup_latitude", { data: [1, 2] }, /has 2 elements of data/],
    ["pickup_latitude", { data: 1 }, 'Input "pickup_latitude" has no "data": expected an array.'],
    [
      "pickup_latitude",
      { data: [null] },
      /Trip 0, pickup_latitude: expected a number from -90 to 90, got null\./,
    ],
    ["pickup_latitude", { data: ["40"] }, /got "40"\./],
    ["pickup_latitude", { data: [[[1]]] }, /got an array\./],
    ["passenger_count", { data: [1.5] }, /expected a whole number from 1 to 6, got 1\.5/],
    ["pickup_latitude", { parameters: [] }, /^"parameters" of "inputs" item 0: expected an object\.$/],
    ["pickup_latitude", { parameters: { a: {} } }, /expected texts, numbers or booleans/],
    ["pickup_latitude", { name: 1 }, '"inputs" item 0 has no "name": expected a text.'],
    ["pickup_latitude", { datatype: undefined }, '"inputs" item 0 has no "datatype": expected a text.'],
  ])("for a %s with %j", async (name, change, reason) => {
    const error = await refusal(post(changed(name, change)), 400);
    expect(error).toEqual(reason instanceof RegExp ? expect.stringMatching(reason) : reason);
    expect(error.length).toBeLessThan(400);
  });

  it.each([
    [{}, '"inputs" is missing or no array: expected an array of tensors.'],
    [{ inputs: {} }, '"inputs" is missing or no array: expected an array of tensors.'],
    [[], 'The body: expected {"inputs": [tensor, …]}.'],
    ["null", 'The body: expected {"inputs": [tensor, …]}.'],
    [{ inputs: [] }, /^"inputs" is empty: expected pickup_latitude, /],
    [{ inputs: [5] }, /^"inputs" item 0: expected /],
    [{ inputs: columns([TRIP]).slice(0, 4) }, 'Input "passenger_count" is missing.'],
    [{ inputs: columns([TRIP]), id: 5 }, '"id" is no text.'],
    [{ inputs: columns([TRIP]), outputs: "all" }, /^"outputs" is no array/],
    [{ inputs: columns([TRIP]), outputs: [{}] }, '"outputs" item 0 has no "name": expected a text.'],
    [
      { inputs: columns([TRIP]), outputs: [{ name: "fare" }] },
      'Output "fare" is unknown: expected fare_amount, extrapolated.',
    ],
    [
      { inputs: columns([TRIP]), outputs: [{ name: "fare_amount" }, { name: "fare_amount" }] },
      'Output "fare_amount" is there twice.',
    ],
    ["{", /^The body is not JSON: /],
  ])("for a body %#", async (body, reason) => {
    const error = await refusal(post(body), 400);
    expect(error).toEqual(reason instanceof RegExp ? expect.stringMatching(reason) : reason);
  });

  it("for no trips at all", async () => {
    const inputs = columns([TRIP]).map((tensor) => ({ ...tensor, shape: [0], data: [] }));
    expect(await refusal(post({ inputs }), 400)).toBe("The inputs are empty: expected at least one trip.");
  });

  it("in the binary tensor extension", async () => {
    const headers = { "Inference-Header-Content-Length": "12" };
    expect(await refusal(post({ inputs: [] }, INFER, headers), 501)).toMatch(/raw_input_contents over gRPC/);
  });

  it("that is too large, compressed or declared as something else", async () => {
    const small = testApi(2048).app;
    const inputs = columns(Array.from({ length: 50 }, () => TRIP));
    expect(await refusal(post({ inputs }, INFER, {}, small), 413)).toBe(
      "The body is larger than 2048 bytes.",
    );
    await refusal(post({ inputs }, INFER, { "Content-Encoding": "gzip" }), 415);
    await refusal(post({ inputs }, INFER, { "Content-Type": "text/plain" }), 415);
  });

  it("and whatever JSON comes, an answer of the contract goes back", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue(),
        fc.constantFrom("shape", "data", "datatype"),
        async (value, member) => {
          expect([200, 400]).toContain((await post(JSON.stringify(value))).status);
          expect([200, 400]).toContain((await post({ inputs: [value] })).status);
          expect([200, 400]).toContain((await post(changed("pickup_latitude", { [member]: value }))).status);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("is counted as /api/predict/ counts", async () => {
    const { app } = testApi();
    await post(
      { inputs: columns([TRIP, FAR_TRIP].map((trip) => ({ ...trip }))).slice(0, 5) },
      INFER,
      {},
      app,
    );
    await post({ inputs: [] }, INFER, {}, app);
    await post("{", INFER, {}, app);
    const text = await (await app.request("/metrics")).text();
    expect(text).toContain("model_api_predictions_total 2\n");
    expect(text).toContain("model_api_extrapolated_predictions_total 1\n");
    expect(text).toContain('model_api_rejected_requests_total{reason="invalid"} 1\n');
    expect(text).toContain('model_api_rejected_requests_total{reason="malformed_json"} 1\n');
    expect(text).toContain(
      'model_api_requests_total{method="POST",route="/v2/models/:name/infer",code="200"} 1\n',
    );
    expect(text).not.toContain("taxi-fare/infer");
  });
});
