import { z } from "@hono/zod-openapi";
import { MAX_ROWS } from "../schema.ts";
import { INPUTS, OUTPUTS } from "./tensors.ts";

const parameters = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .optional()
  .openapi({ description: "Accepted; they change nothing." });

const shape = z.array(z.int()).openapi({ description: "[N], or [N,1]", example: [1] });

const metadata = z
  .object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) })
  .openapi("TensorMetadata", { description: "-1 is a dimension of any size" });

const EXAMPLES: Readonly<Record<string, unknown>> = {
  pickup_latitude: 40.7383,
  pickup_longitude: -73.9998,
  dropoff_latitude: 40.7232,
  dropoff_longitude: -73.9995,
  passenger_count: 1,
  pickup_datetime: "2015-05-07 19:52:06 UTC",
};

export const inferRequestSchema = z
  .object({
    id: z.string().optional().openapi({ description: "Comes back in the answer." }),
    parameters,
    inputs: z
      .array(z.object({ name: z.string(), shape, datatype: z.string(), parameters, data: z.array(z.any()) }))
      .openapi({ description: `A tensor a field of a trip, an element a trip, up to ${MAX_ROWS} trips.` }),
    outputs: z
      .array(z.object({ name: z.enum(["fare_amount", "extrapolated"]), parameters }))
      .optional()
      .openapi({ description: "Which outputs to send, in this order. Without it: all." }),
  })
  .openapi("InferRequest", {
    example: {
      id: "42",
      inputs: INPUTS.map(({ name, datatype }) => ({ name, shape: [1], datatype, data: [EXAMPLES[name]] })),
    },
  });

export const inferResponseSchema = z
  .object({
    model_name: z.string().openapi({ example: "taxi-fare" }),
    model_version: z.string().openapi({ example: "1.0.1" }),
    id: z.string().optional(),
    parameters: z.object({
      color: z.string().openapi({ example: "blue" }),
      digest: z.string().openapi({ example: `sha256:${"0f".repeat(32)}` }),
    }),
    outputs: z.array(z.object({ name: z.string(), datatype: z.string(), shape, data: z.array(z.any()) })),
  })
  .openapi("InferResponse");

export const serverMetadataSchema = z
  .object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) })
  .openapi("ServerMetadata");

export const modelMetadataSchema = z
  .object({
    name: z.string().openapi({ example: "taxi-fare" }),
    versions: z.array(z.string()).openapi({ example: ["1.0.1"] }),
    platform: z.string(),
    inputs: z.array(metadata).openapi({ example: [...INPUTS] }),
    outputs: z.array(metadata).openapi({ example: [...OUTPUTS] }),
  })
  .openapi("ModelMetadata");

export const modelListSchema = z.object({ models: z.array(z.string()) }).openapi("ModelList");
export const liveSchema = z.object({ live: z.boolean() }).openapi("ServerLive");
export const serverReadySchema = z.object({ ready: z.boolean() }).openapi("ServerReady");
export const modelReadySchema = z.object({ name: z.string(), ready: z.boolean() }).openapi("ModelReady");
export const errorSchema = z.object({ error: z.string() }).openapi("InferenceError");
