import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import { z } from "@hono/zod-openapi";
import { json } from "../openapi.ts";
import {
  errorSchema,
  inferRequestSchema,
  inferResponseSchema,
  liveSchema,
  modelListSchema,
  modelMetadataSchema,
  modelReadySchema,
  serverMetadataSchema,
  serverReadySchema,
} from "./schema.ts";

const TAGS = ["open inference protocol v2"];
const NAME = { name: z.string().openapi({ param: { name: "name", in: "path" }, example: "taxi-fare" }) };
const VERSION = { version: z.string().openapi({ param: { name: "version", in: "path" }, example: "1.0.1" }) };

/** Each per-model path exists with and without a version; operation ids must differ. */
const MODEL_PATHS = [
  { path: "/v2/models/{name}", params: z.object(NAME), suffix: "" },
  {
    path: "/v2/models/{name}/versions/{version}",
    params: z.object({ ...NAME, ...VERSION }),
    suffix: "Version",
  },
];

const UNKNOWN = json(errorSchema, "No such model or version here");
const NO_MODEL = json(errorSchema, "No model is loaded");

/** Puts the protocol's REST routes into the API's description. */
export function describeInference({ openAPIRegistry }: OpenAPIHono): void {
  const get = (
    path: string,
    operationId: string,
    summary: string,
    responses: RouteConfig["responses"],
    params?: z.ZodObject,
  ) =>
    openAPIRegistry.registerPath({
      method: "get",
      path,
      operationId,
      summary,
      tags: TAGS,
      responses,
      ...(params ? { request: { params } } : {}),
    });
  get("/v2", "serverMetadata", "What server is this?", {
    200: json(serverMetadataSchema, "Name and version"),
  });
  get("/v2/health/live", "serverLive", "Is the process alive?", { 200: json(liveSchema, "Alive") });
  get("/v2/health/ready", "serverReady", "May it get traffic?", {
    200: json(serverReadySchema, "Ready"),
    503: json(serverReadySchema, "No model is loaded, or the server is shutting down"),
  });
  get("/v2/models", "models", "Which models are here?", { 200: json(modelListSchema, "Their names") });
  for (const { path, params, suffix } of MODEL_PATHS) {
    const metadata = { 200: json(modelMetadataSchema, "The model's tensors"), 404: UNKNOWN, 503: NO_MODEL };
    get(path, `modelMetadata${suffix}`, "Which tensors does the model take and give?", metadata, params);
    const ready = {
      200: json(modelReadySchema, "Ready"),
      404: UNKNOWN,
      503: json(modelReadySchema, "Not ready"),
    };
    get(`${path}/ready`, `modelReady${suffix}`, "May the model get traffic?", ready, params);
    openAPIRegistry.registerPath({
      method: "post",
      path: `${path}/infer`,
      operationId: `modelInfer${suffix}`,
      tags: TAGS,
      summary: "Predict the fares of 1 to 10,000 trips, as tensors",
      description: "The same model, checks and numbers as /api/predict/. The same service is there as gRPC.",
      request: {
        params,
        body: { required: true, content: { "application/json": { schema: inferRequestSchema } } },
      },
      responses: INFER_RESPONSES,
    });
  }
}

const INFER_RESPONSES = {
  200: json(inferResponseSchema, "An element of each output for each trip, in the trips' order"),
  400: json(
    errorSchema,
    "The body is not JSON, or tensors or trips are invalid; the message names the first ten",
  ),
  404: UNKNOWN,
  413: json(errorSchema, "The body is larger than the limit"),
  415: json(errorSchema, "The body is not declared as application/json, or is compressed"),
  501: json(errorSchema, "The body is in the binary tensor extension, which is not served"),
  503: NO_MODEL,
};
