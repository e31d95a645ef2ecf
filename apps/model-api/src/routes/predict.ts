import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { problem } from "@sluice/api-docs";
import type { Context } from "hono";
import { type Refusal, readJson } from "../body.ts";
import { checkRequest } from "../check.ts";
import type { Metrics } from "../metrics.ts";
import { json, problemAnswer } from "../openapi.ts";
import { predictTrips } from "../predictions.ts";
import { MAX_ROWS, requestSchema, responseSchema, rowProblemsSchema } from "../schema.ts";
import type { Service } from "../service.ts";

interface PredictOptions {
  readonly service: Service;
  readonly metrics: Metrics;
  /** Bytes. */
  readonly bodyLimit: number;
}

const NO_MODEL: Refusal = {
  reason: "no_model",
  status: 503,
  detail: "No model is loaded.",
  headers: { "Retry-After": "5" },
};

/** Fares for trips. The path with the slash is the documented one; the others are what people type. */
export function predictRoutes({ service, metrics, bodyLimit }: PredictOptions): OpenAPIHono {
  const app = new OpenAPIHono();
  const { model, identity, color } = service;
  app.openAPIRegistry.registerPath(route);
  const refuse = (c: Context, { reason, headers, ...document }: Refusal) => {
    metrics.rejected.inc({ reason });
    for (const [name, value] of Object.entries(headers ?? {})) c.header(name, value);
    return problem(c, document);
  };
  app.on("POST", ["/api/predict/", "/api/predict", "/predict", "/predict/"], async (c) => {
    if (!model) return refuse(c, NO_MODEL);
    const body = await readJson(c, bodyLimit);
    if ("reason" in body) return refuse(c, body);
    const checked = checkRequest(body.value);
    if (!("trips" in checked)) return refuse(c, { reason: "invalid", status: 422, ...checked });
    const predictions = predictTrips(model, metrics, checked.trips);
    return c.json({ predictions, model: identity, color });
  });
  return app;
}

const route = createRoute({
  method: "post",
  path: "/api/predict/",
  operationId: "predict",
  tags: ["predictions"],
  summary: "Predict the fares of 1 to 10,000 trips",
  description:
    "All rows or none: with one invalid row nothing is predicted. Fares are never below the base fare. " +
    "Members that are not listed are ignored. Also served as /api/predict and /predict.",
  request: { body: { required: true, content: { "application/json": { schema: requestSchema } } } },
  responses: {
    200: json(responseSchema, "One prediction a row, in the rows' order"),
    400: problemAnswer("The body is not JSON"),
    413: problemAnswer("The body is larger than the limit"),
    415: problemAnswer("The body is not declared as application/json, or is compressed"),
    422: {
      description: `"data" is missing, empty or longer than ${MAX_ROWS}, or rows are invalid; the first 100 errors are listed`,
      content: { "application/problem+json": { schema: rowProblemsSchema } },
    },
    503: problemAnswer("No model is loaded"),
  },
});
