import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { problem } from "@sluice/api-docs";
import { json, problemAnswer } from "../openapi.ts";
import { modelSchema } from "../schema.ts";
import type { Service } from "../service.ts";

/** What is served, with the golden rows by which a deploy checks that it predicts as it was trained. */
export function modelRoutes({ model }: Service): OpenAPIHono {
  const app = new OpenAPIHono();
  app.openAPIRegistry.registerPath(route);
  const body = model && JSON.stringify(describe(model.artifact));
  app.get("/model", (c) => {
    if (body === undefined) return problem(c, { status: 503, detail: "No model is loaded." });
    return c.body(body, 200, { "Content-Type": "application/json" });
  });
  return app;
}

function describe(artifact: NonNullable<Service["model"]>["artifact"]) {
  const { name, version, digest, created, recipe, features, training_data, metrics, input_bounds, golden } =
    artifact;
  return { name, version, digest, created, recipe, features, training_data, metrics, input_bounds, golden };
}

const route = createRoute({
  method: "get",
  path: "/model",
  operationId: "model",
  tags: ["model"],
  summary: "Name, version, digest, metrics and golden rows",
  responses: { 200: json(modelSchema, "The model"), 503: problemAnswer("No model is loaded") },
});
