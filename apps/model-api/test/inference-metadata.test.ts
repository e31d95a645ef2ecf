import { describe, expect, it } from "vitest";
import { apiWithoutModel, bodyOf, TRIP, testApi } from "./support/api.ts";
import { columns } from "./support/grpc.ts";
import { app, INFER, post, refusal } from "./support/inference-rest.ts";

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
