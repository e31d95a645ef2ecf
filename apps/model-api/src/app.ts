import { OpenAPIHono } from "@hono/zod-openapi";
import { docsRoutes, problem } from "@sluice/api-docs";
import type { Context } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { type Logger, pino } from "pino";
import { createMetrics, type Metrics } from "./metrics.ts";
import { observe } from "./observe.ts";
import { describeApi } from "./openapi.ts";
import { healthRoutes } from "./routes/health.ts";
import { inferenceError, inferenceRoutes, isInferencePath } from "./routes/inference.ts";
import { modelRoutes } from "./routes/model.ts";
import { predictRoutes } from "./routes/predict.ts";
import type { Service } from "./service.ts";

export interface AppOptions {
  readonly service: Service;
  /** Largest request body in bytes. @default 4 MiB */
  readonly bodyLimit?: number;
  /** @default silent */
  readonly log?: Logger;
  /** For those who count elsewhere too. @default its own */
  readonly metrics?: Metrics;
}

/** The headers that are on every answer. */
export function identityHeaders({ identity }: Service): Record<string, string> {
  return { "X-Model-Version": identity?.version ?? "none", "X-Model-Digest": identity?.digest ?? "none" };
}

/** The whole API as a hono app; it owns no socket. */
export function createApp(options: AppOptions): OpenAPIHono {
  const { service, bodyLimit = 4 * 2 ** 20, log = pino({ level: "silent" }) } = options;
  const { metrics = createMetrics(service) } = options;
  const app = new OpenAPIHono();
  const identity = Object.entries(identityHeaders(service));
  app.use(observe(metrics, log, app));
  app.use(async (c, next) => {
    for (const [name, value] of identity) c.header(name, value);
    await next();
  });
  app.use(methodNotAllowed({ app, onMethodNotAllowed: refuseMethod }));
  app.route("/", healthRoutes(service));
  app.route("/", modelRoutes(service));
  app.route("/", predictRoutes({ service, metrics, bodyLimit }));
  app.route("/", inferenceRoutes({ service, metrics, bodyLimit }));
  app.get("/metrics", async (c) =>
    c.body(await metrics.registry.metrics(), 200, { "Content-Type": metrics.registry.contentType }),
  );
  describeApi(app);
  app.route("/", docsRoutes({ title: "Taxi fare model API" }));
  app.notFound((c) => refuse(c, 404, "There is nothing at this path; /docs lists what there is."));
  app.onError((error, c) => {
    log.error({ err: error, method: c.req.method, path: c.req.path }, "request failed");
    return refuse(c, 500, "The server failed on this request; its log says why.");
  });
  return app;
}

function refuseMethod(c: Context, methods: string[]): Response {
  c.header("Allow", methods.join(", "));
  return refuse(c, 405, `${c.req.method} is not served here: expected ${methods.join(" or ")}.`);
}

/** A problem document, or what the Open Inference Protocol has instead. */
function refuse(c: Context, status: 404 | 405 | 500, detail: string): Response {
  return isInferencePath(c.req.path) ? inferenceError(c, status, detail) : problem(c, { status, detail });
}
