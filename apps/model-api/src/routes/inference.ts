import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { readJson } from "../body.ts";
import { describeInference } from "../inference/describe.ts";
import { describeModel, findModel, infer, isModelReady, SERVER } from "../inference/infer.ts";
import { readInference } from "../inference/json.ts";
import { Refused } from "../inference/refused.ts";
import type { Metrics } from "../metrics.ts";
import type { Service } from "../service.ts";

interface InferenceOptions {
  readonly service: Service;
  readonly metrics: Metrics;
  /** Bytes. */
  readonly bodyLimit: number;
}

/** Is this a path of the Open Inference Protocol, whose errors have a form of their own? */
export function isInferencePath(path: string): boolean {
  return path === "/v2" || path.startsWith("/v2/");
}

/** An error as the protocol has it. */
export function inferenceError(c: Context, status: number, error: string): Response {
  return c.json({ error }, status as 400);
}

/** The Open Inference Protocol v2 over REST, for the model that the other paths serve. */
export function inferenceRoutes({ service, metrics, bodyLimit }: InferenceOptions): OpenAPIHono {
  const app = new OpenAPIHono();
  describeInference(app);
  const fresh = { "Cache-Control": "no-store" };
  app.get("/v2", (c) => c.json(SERVER));
  app.get("/v2/health/live", (c) => c.json({ live: true }, 200, fresh));
  app.get("/v2/health/ready", (c) => {
    const ready = service.notReady() === undefined;
    return c.json({ ready }, ready ? 200 : 503, fresh);
  });
  app.get("/v2/models", (c) => c.json({ models: service.identity ? [service.identity.name] : [] }));
  for (const path of ["/v2/models/:name", "/v2/models/:name/versions/:version"]) {
    app.get(path, (c) => c.json(describeModel(service, modelName(c))));
    app.get(`${path}/ready`, (c) => {
      const ready = isModelReady(service, modelName(c));
      return c.json({ name: modelName(c).name, ready }, ready ? 200 : 503, fresh);
    });
    app.post(`${path}/infer`, async (c) => {
      const model = findModel(service, modelName(c));
      refuseBinary(c);
      const body = await readJson(c, bodyLimit, { undeclared: true });
      if ("reason" in body) {
        metrics.rejected.inc({ reason: body.reason });
        for (const [name, value] of Object.entries(body.headers ?? {})) c.header(name, value);
        return inferenceError(c, body.status, body.detail);
      }
      const request = readInference(body.value);
      const outputs = infer(model, metrics, request);
      const { name, version, digest } = model.artifact;
      return c.json({
        model_name: name,
        model_version: version,
        ...(request.id === undefined ? {} : { id: request.id }),
        parameters: { color: service.color, digest },
        outputs,
      });
    });
  }
  app.onError((error, c) => {
    if (!(error instanceof Refused)) throw error;
    if (c.req.method === "POST") countRefusal(metrics, error);
    if (error.kind === "not_ready") c.header("Retry-After", "5");
    return inferenceError(c, error.status, error.message);
  });
  return app;
}

/** Counts a refused prediction under the same reasons as `/api/predict/`. */
export function countRefusal(metrics: Metrics, { kind }: Refused): void {
  metrics.rejected.inc({ reason: kind === "not_ready" ? "no_model" : "invalid" });
}

function modelName(c: Context): { name: string; version: string | undefined } {
  return { name: c.req.param("name") ?? "", version: c.req.param("version") };
}

function refuseBinary(c: Context): void {
  if (c.req.header("Inference-Header-Content-Length") === undefined) return;
  throw new Refused(
    "unsupported",
    "Binary tensors are not served over REST: expected JSON data, or raw_input_contents over gRPC.",
  );
}
