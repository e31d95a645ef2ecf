import { loadModel } from "@sluice/model";
import { describe, expect, it } from "vitest";
import { apiWithoutModel, bodyOf, TRIP, testApi } from "./support/api.ts";

const { app, model, service } = testApi();
const { name, version, digest } = model.artifact;

describe("health", () => {
  it.each(["/", "/health", "/health/live"])("%s is alive, with version and color", async (path) => {
    const response = await app.request(path);
    expect(response.status).toBe(200);
    expect(await bodyOf(response)).toEqual({
      status: "alive",
      ready: true,
      name,
      version,
      digest,
      color: "blue",
    });
  });

  it.each(["/", "/health", "/health/live"])("%s is alive without a model", async (path) => {
    const response = await apiWithoutModel().app.request(path);
    expect(response.status).toBe(200);
    expect(await bodyOf(response)).toMatchObject({
      status: "alive",
      ready: false,
      version: null,
      color: "green",
    });
  });

  it("is ready with a model, and not without", async () => {
    expect(await bodyOf(await app.request("/health/ready"))).toMatchObject({
      status: "ready",
      version,
      color: "blue",
    });
    const response = await apiWithoutModel().app.request("/health/ready");
    expect(response.status).toBe(503);
    expect((await bodyOf(response)).detail).toBe("No model is loaded.");
  });

  it("is alive but not ready while it ends, and goes on predicting", async () => {
    const ending = testApi();
    ending.service.drain();
    const ready = await ending.app.request("/health/ready");
    expect(ready.status).toBe(503);
    expect((await bodyOf(ready)).detail).toBe("The server is shutting down.");
    expect((await ending.app.request("/health")).status).toBe(200);
    expect((await ending.predict({ data: [TRIP] })).status).toBe(200);
  });

  it("is never cached", async () => {
    for (const path of ["/", "/health", "/health/live", "/health/ready"])
      expect((await app.request(path)).headers.get("Cache-Control")).toBe("no-store");
  });
});

describe("GET /model", () => {
  it("gives identity, metrics and golden rows that a client can check", async () => {
    const body = await bodyOf(await app.request("/model"));
    expect(body).toMatchObject({ name, version, digest, metrics: model.artifact.metrics });
    expect(body.golden).toHaveLength(20);
    for (const { trip, fare_amount } of body.golden)
      expect(model.predictFare(trip)).toBeCloseTo(fare_amount, 9);
  });

  it("answers golden rows over the API as the artifact says", async () => {
    const { golden } = await bodyOf(await app.request("/model"));
    const data = golden.map(({ trip }: { trip: unknown }) => trip);
    const response = await testApi().predict({ data });
    const { predictions } = await bodyOf(response);
    for (const [row, { fare_amount }] of golden.entries())
      expect(predictions[row].fare_amount).toBeCloseTo(fare_amount, 2);
  });

  it("is 503 without a model", async () => {
    expect((await apiWithoutModel().app.request("/model")).status).toBe(503);
  });
});

describe("every answer", () => {
  const requests: [string, RequestInit?][] = [
    ["/"],
    ["/health/ready"],
    ["/model"],
    ["/metrics"],
    ["/openapi.json"],
    ["/docs"],
    ["/docs/swagger-ui.css"],
    ["/nothing"],
    ["/predict", { method: "PUT" }],
    ["/predict", { method: "POST" }],
    ["/", { method: "HEAD" }],
  ];
  it.each(requests)("carries the model's version and digest (%s %o)", async (path, init) => {
    const { headers } = await app.request(path, init);
    expect(headers.get("X-Model-Version")).toBe("1.2.3");
    expect(headers.get("X-Model-Digest")).toBe(digest);
  });

  it.each(requests)("says none without a model (%s %o)", async (path, init) => {
    const { headers } = await apiWithoutModel().app.request(path, init);
    expect(headers.get("X-Model-Version")).toBe("none");
    expect(headers.get("X-Model-Digest")).toBe("none");
  });
});

describe("what is not served", () => {
  it.each([
    ["GET", "/api/predict/", "POST"],
    ["HEAD", "/predict", "POST"],
    ["PUT", "/predict", "POST"],
    ["DELETE", "/model", "GET, HEAD"],
    ["POST", "/health/ready", "GET, HEAD"],
    ["OPTIONS", "/", "GET, HEAD"],
    ["BREW", "/docs", "GET, HEAD"],
  ])("%s %s is 405 with Allow", async (method, path, allow) => {
    const response = await app.request(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")).toBe(allow);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  });

  it.each(["/nothing", "/api", "/api/predict/extra", "//predict", "/health/ready/", "/%00"])(
    "%s is 404",
    async (path) => {
      const response = await app.request(path);
      expect(response.status).toBe(404);
      expect(await bodyOf(response)).toMatchObject({ type: "about:blank", title: "Not Found", status: 404 });
    },
  );

  it("HEAD is what GET is, without a body", async () => {
    for (const path of ["/", "/health/ready", "/model", "/docs"]) {
      const response = await app.request(path, { method: "HEAD" });
      expect(response.status, path).toBe(200);
      expect(await response.text()).toBe("");
    }
  });

  it("a defect inside is 500 and keeps its reason to the log", async () => {
    const broken = testApi();
    Object.assign(broken.service.model!, {
      predict: () => {
        throw new Error("secret");
      },
    });
    const response = await broken.predict({ data: [TRIP] });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret");
    expect(response.headers.get("X-Model-Version")).toBe("1.2.3");
  });
});

describe("the description", () => {
  it("is OpenAPI 3.1 and lists every path that is worth a call", async () => {
    const document = await bodyOf(await app.request("/openapi.json"));
    expect(document.openapi).toBe("3.1.0");
    expect(Object.keys(document.paths).sort()).toEqual([
      "/",
      "/api/predict/",
      "/health",
      "/health/live",
      "/health/ready",
      "/model",
      "/v2",
      "/v2/health/live",
      "/v2/health/ready",
      "/v2/models",
      "/v2/models/{name}",
      "/v2/models/{name}/infer",
      "/v2/models/{name}/ready",
      "/v2/models/{name}/versions/{version}",
      "/v2/models/{name}/versions/{version}/infer",
      "/v2/models/{name}/versions/{version}/ready",
    ]);
    const { post } = document.paths["/api/predict/"];
    expect(Object.keys(post.responses)).toEqual(["200", "400", "413", "415", "422", "503"]);
    const trip = document.components.schemas.Trip;
    expect(trip.properties.pickup_latitude).toMatchObject({ type: "number", minimum: -90, maximum: 90 });
    expect(trip.properties.passenger_count).toMatchObject({ type: "integer", minimum: 1, maximum: 6 });
    expect(trip.required).not.toContain("pickup_datetime");
  });

  it("describes the list of row errors, which a refusal of the whole body lacks", async () => {
    const { components } = await bodyOf(await app.request("/openapi.json"));
    const [, rows] = components.schemas.RowProblems.allOf;
    expect(Object.keys(rows.properties)).toEqual(["errors", "errors_omitted"]);
    expect(rows.required ?? []).toEqual([]);
    expect(await bodyOf(await testApi().predict({ data: [] }))).not.toHaveProperty("errors");
  });

  it("names every operation, for those who generate clients", async () => {
    const { paths } = await bodyOf(await app.request("/openapi.json"));
    const operations = Object.values(paths).flatMap((path) => Object.values(path as object));
    const names = operations.map(({ operationId }) => operationId);
    expect(names).toHaveLength(new Set(names).size);
    const own = ["alive", "health", "live", "model", "predict", "ready"];
    const protocol = ["modelInfer", "modelMetadata", "modelReady"].flatMap((name) => [
      name,
      `${name}Version`,
    ]);
    const server = ["models", "serverLive", "serverMetadata", "serverReady"];
    expect(names.sort()).toEqual([...own, ...protocol, ...server].sort());
  });

  it("has examples that the server accepts", async () => {
    const { components } = await bodyOf(await app.request("/openapi.json"));
    const properties = Object.entries(components.schemas.Trip.properties) as [string, { example: unknown }][];
    const row = Object.fromEntries(properties.map(([field, { example }]) => [field, example]));
    expect((await testApi().predict({ data: [row] })).status).toBe(200);
  });
});

describe("a service", () => {
  it("serves the artifact that it was given", () => {
    expect(service.identity).toEqual({ name, version, digest });
    expect(loadModel(JSON.stringify(model.artifact)).artifact.digest).toBe(digest);
  });
});
