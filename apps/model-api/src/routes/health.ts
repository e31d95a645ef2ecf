import { posix } from "node:path";
import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { problem } from "@sluice/api-docs";
import { json, problemAnswer } from "../openapi.ts";
import { aliveSchema, readySchema } from "../schema.ts";
import type { Service } from "../service.ts";

const NO_IDENTITY = { name: null, version: null, digest: null };

/** Alive: the process answers. Ready: it has a model and is not about to end. */
export function healthRoutes(service: Service): OpenAPIHono {
  const app = new OpenAPIHono();
  const alive = () => ({
    status: "alive" as const,
    ready: service.notReady() === undefined,
    ...(service.identity ?? NO_IDENTITY),
    color: service.color,
  });
  for (const path of ["/", "/health", "/health/live"])
    app.openapi(aliveRoute(path), (c) => c.json(alive(), 200, { "Cache-Control": "no-store" }));
  app.openAPIRegistry.registerPath(readyRoute);
  app.get("/health/ready", (c) => {
    c.header("Cache-Control", "no-store");
    const reason = service.notReady();
    if (reason !== undefined) return problem(c, { status: 503, detail: reason });
    return c.json({ status: "ready", ...service.identity, color: service.color });
  });
  return app;
}

function aliveRoute(path: string) {
  return createRoute({
    method: "get",
    path,
    operationId: posix.basename(path) || "alive",
    tags: ["health"],
    summary: "Is the process alive? Says version and color; also without a model",
    responses: { 200: json(aliveSchema, "Alive") },
  });
}

const readyRoute = createRoute({
  method: "get",
  path: "/health/ready",
  operationId: "ready",
  tags: ["health"],
  summary: "May it get traffic?",
  responses: {
    200: json(readySchema, "Ready"),
    503: problemAnswer("No model is loaded, or the server is shutting down"),
  },
});
