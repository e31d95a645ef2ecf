import { OpenAPIHono } from "@hono/zod-openapi";
import { docsRoutes } from "@sluice/api-docs";
import type { Hono, MiddlewareHandler } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { changeRoutes } from "./admin/changes.ts";
import type { AdminDeps } from "./admin/deps.ts";
import type { AdminEnv } from "./admin/env.ts";
import { feedbackRoutes } from "./admin/feedback.ts";
import { gateRoutes } from "./admin/gate.ts";
import { guard, mayDo } from "./admin/guard.ts";
import { onError, onMethodNotAllowed, onNotFound } from "./admin/problems.ts";
import { rolloutRoutes } from "./admin/rollouts.ts";
import { type AdminRoute, addRoutes } from "./admin/route.ts";
import { shadowRoutes } from "./admin/shadow.ts";
import { upgradeRoute } from "./admin/upgrade.ts";
import { healthRoutes, metricsRoute, viewRoutes } from "./admin/views.ts";

/** The admin API: one app, to be served on the admin port or asked through `app.request`. */
export function createAdminApp(deps: AdminDeps): OpenAPIHono<AdminEnv> {
  const app = new OpenAPIHono<AdminEnv>();
  app.use(neverStore);
  app.use(guard(() => deps.config().admin.tokens));
  prepare(app, deps);
  const own = deps.config().metrics.listen === "admin" ? [metricsRoute(deps.metrics, "read")] : [];
  addRoutes(app, [
    ...viewRoutes(deps),
    ...changeRoutes(deps),
    ...gateRoutes(deps),
    ...feedbackRoutes(deps),
    ...rolloutRoutes(deps),
    ...shadowRoutes(deps),
    upgradeRoute(deps),
    ...healthRoutes(deps),
    ...own,
  ]);
  addDescription(app, deps.version);
  return app;
}

/** What a scraper with a port of its own reaches: metrics and health, and nothing else. */
export function createMetricsApp(deps: AdminDeps): Hono<AdminEnv> {
  const app = new OpenAPIHono<AdminEnv>();
  app.use(neverStore);
  prepare(app, deps);
  addRoutes(app, [...healthRoutes(deps), metricsRoute(deps.metrics, undefined)] satisfies AdminRoute[]);
  return app;
}

function prepare(app: OpenAPIHono<AdminEnv>, { log }: AdminDeps): void {
  app.use(methodNotAllowed({ app, onMethodNotAllowed }));
  app.onError(onError(log));
  app.notFound(onNotFound);
}

const neverStore: MiddlewareHandler = async (c, next) => {
  await next();
  if (!c.res.headers.has("Cache-Control")) c.res.headers.set("Cache-Control", "no-store");
  c.res.headers.set("X-Content-Type-Options", "nosniff");
};

const PATHS = { path: "/admin/docs", openapiPath: "/admin/openapi.json" };

function addDescription(app: OpenAPIHono<AdminEnv>, version: string): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "token", { type: "http", scheme: "bearer" });
  const info = { title: "Sluice admin API", version, description: "Moves traffic between colors, by hand." };
  let document: object | undefined;
  app.get(PATHS.openapiPath, mayDo("read"), (c) => {
    document ??= app.getOpenAPI31Document({ openapi: "3.1.0", info });
    return c.json(document);
  });
  app.use(`${PATHS.path}/*`, mayDo("read"));
  app.route("/", docsRoutes({ title: info.title, ...PATHS }));
}
