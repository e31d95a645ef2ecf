import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_ROWS } from "../src/schema.ts";
import { apiWithoutModel, bodyOf, FAR_TRIP, TRIP, testApi } from "./support/api.ts";
import { columns } from "./support/grpc.ts";

const { app, model, predict, service } = testApi();
const { digest } = model.artifact;
const INFER = "/v2/models/taxi-fare/infer";

function post(body: unknown, path = INFER, headers: Record<string, string> = {}, to = app) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const init = { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: text };
  return to.request(path, init);
}

async function refusal(response: Response | Promise<Response>, status: number): Promise<string> {
  const answer = await response;
  expect(answer.status).toBe(status);
  expect(answer.headers.get("Content-Type")).toBe("application/json");
  const document = await bodyOf(answer);
  expect(Object.keys(document)).toEqual(["error"]);
  return document.error;
}

/** The tensors of one trip, one of them changed. */
function changed(name: string, change: object) {
  return {
    inputs: columns([TRIP]).map((tensor) => (tensor.name === name ? { ...tensor, ...change } : tensor)),
  };
}

describe("the server and its model", () => {
  it.each([
    ["/v2", { name: "sluice-model-api", version: "0.1.0", extensions: [] }],
    ["/v2/health/live", { live: true }],
    ["/v2/health/ready", { ready: true }],
    ["/v2/models", { models: ["taxi-fare"] }],
    ["/v2/models/taxi-fare/ready", { name: "taxi-fare", ready: true }],
    ["/v2/models/taxi-fare/versions/1.2.3/ready", { name: "taxi-fare", ready: true }],
  ])("%s", async (path, body) => {
    const response = await app.request(path);
    expect([response.status, await bodyOf(response)]).toEqual([200, body]);
    expect(response.headers.get("X-Model-Version")).toBe("1.2.3");
  });

  it.each(["/v2/models/taxi-fare", "/v2/models/taxi-fare/versions/1.2.3"])(
    "%s describes tensors that an infer call takes and gives",
    async (path) => {
      const metadata = await bodyOf(await app.request(path));
      expect(metadata).toMatchObject({ name: "taxi-fare", versions: ["1.2.3"] });
      const sent = columns([TRIP]).map(({ name, datatype }) => ({ name, datatype, shape: [-1] }));
      expect(metadata.inputs).toEqual(sent);
      const { outputs } = await bodyOf(await post({ inputs: columns([TRIP]) }));
      const received = outputs.map(({ name, datatype }: { name: string; datatype: string }) => ({
        name,
        datatype,
        shape: [-1],
      }));
      expect(metadata.outputs).toEqual(received);
    },
  );

  it.each(["", "/ready"])("an unknown model or version is 404 (%j)", async (end) => {
    expect(await refusal(app.request(`/v2/models/other${end}`), 404)).toBe(
      'Model "other" is unknown: this server has "taxi-fare".',
    );
    expect(await refusal(app.request(`/v2/models/taxi-fare/versions/1.2.4${end}`), 404)).toBe(
      'Version "1.2.4" of model "taxi-fare" is not here: this server has 1.2.3.',
    );
  });

  it("an infer call for an unknown model or version is 404 before its body is read", async () => {
    await refusal(post("{", "/v2/models/taxi-fare/versions/1/infer"), 404);
    await refusal(post("{", "/v2/models/taxi/infer"), 404);
  });

  it("any other path and method below /v2 is refused in the protocol's form", async () => {
    expect(await refusal(app.request("/v2/repository/index"), 404)).toMatch(/nothing at this path/);
    const response = await app.request("/v2", { method: "DELETE" });
    expect(response.headers.get("Allow")).toBe("GET, HEAD");
    expect(await refusal(response, 405)).toMatch(/^DELETE is not served here/);
  });

  it("without a model is alive, not ready, and refuses with 503", async () => {
    const { app } = apiWithoutModel();
    expect((await app.request("/v2/health/live")).status).toBe(200);
    const ready = await app.request("/v2/health/ready");
    expect([ready.status, await bodyOf(ready)]).toEqual([503, { ready: false }]);
    const modelReady = await app.request("/v2/models/any/ready");
    expect([modelReady.status, await bodyOf(modelReady)]).toEqual([503, { name: "any", ready: false }]);
    expect(await bodyOf(await app.request("/v2/models"))).toEqual({ models: [] });
    expect(await refusal(app.request("/v2/models/any"), 503)).toBe("No model is loaded.");
    const infer = await post({ inputs: columns([TRIP]) }, INFER, {}, app);
    expect(infer.headers.get("Retry-After")).toBe("5");
    expect(await refusal(infer, 503)).toBe("No model is loaded.");
  });

  it("while it ends is not ready and still predicts", async () => {
    const ending = testApi();
    ending.service.drain();
    expect((await ending.app.request("/v2/health/ready")).status).toBe(503);
    expect((await ending.app.request("/v2/models/taxi-fare/ready")).status).toBe(503);
    expect((await post({ inputs: columns([TRIP]) }, INFER, {}, ending.app)).status).toBe(200);
  });
});

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
