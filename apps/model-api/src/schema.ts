import { z } from "@hono/zod-openapi";
import { parsePickupDatetime } from "@sluice/model";

/** Rows in one request. */
export const MAX_ROWS = 10_000;

/**
 * One trip. The limits are those of the world, not of the trained area: a trip far away is answered and marked.
 * Members that are not listed are ignored.
 */
export const tripSchema = z
  .object({
    pickup_latitude: degrees(90, 40.7383),
    pickup_longitude: degrees(180, -73.9998),
    dropoff_latitude: degrees(90, 40.7232),
    dropoff_longitude: degrees(180, -73.9995),
    passenger_count: z
      .int({ error: expected("a whole number from 1 to 6") })
      .min(1)
      .max(6)
      .openapi({ example: 1 }),
    pickup_datetime: z
      .string({ error: expected("text such as 2015-05-07 19:52:06, the clock of New York") })
      .refine((text) => parsePickupDatetime(text) !== undefined)
      .nullish()
      .openapi({
        description: "The clock of New York, whatever zone is written behind it. Without it: a typical time.",
        example: "2015-05-07 19:52:06 UTC",
      }),
  })
  .openapi("Trip");

/** What `POST /api/predict/` takes. Rows are checked one by one, see `checkRows`. */
export const requestSchema = z
  .object({ data: z.array(tripSchema).min(1).max(MAX_ROWS) })
  .openapi("PredictRequest");

const identity = {
  name: z.string().openapi({ example: "taxi-fare" }),
  version: z.string().openapi({ example: "1.0.1" }),
  digest: z.string().openapi({ example: `sha256:${"0f".repeat(32)}` }),
};

export const identitySchema = z.object(identity).openapi("ModelIdentity");

export const responseSchema = z
  .object({
    predictions: z.array(
      z.object({
        fare_amount: z.number().openapi({ description: "US dollars, to the cent", example: 11.36 }),
        extrapolated: z.literal(true).optional().openapi({
          description: "The trip lies outside what the model was trained on.",
        }),
      }),
    ),
    model: identitySchema,
    color: z.string().openapi({ example: "blue" }),
  })
  .openapi("PredictResponse");

export const aliveSchema = z
  .object({
    status: z.literal("alive"),
    ready: z.boolean(),
    name: identity.name.nullable(),
    version: identity.version.nullable(),
    digest: identity.digest.nullable(),
    color: z.string().openapi({ example: "blue" }),
  })
  .openapi("Alive");

export const readySchema = z
  .object({ status: z.literal("ready"), ...identity, color: z.string() })
  .openapi("Ready");

export const modelSchema = z
  .object({
    ...identity,
    created: z.string(),
    recipe: z.string(),
    features: z.array(z.string()),
    training_data: z.looseObject({}),
    metrics: z.object({ rmse: z.number(), mae: z.number(), r2: z.number(), n: z.int() }),
    input_bounds: z.looseObject({}),
    golden: z
      .array(z.object({ trip: tripSchema, fare_amount: z.number() }))
      .openapi({ description: "Trips with their predictions before rounding." }),
  })
  .openapi("Model");

export const problemSchema = z
  .object({ type: z.string(), title: z.string(), status: z.int(), detail: z.string() })
  .openapi("Problem", { description: "RFC 9457" });

/** The lists are there when rows are invalid, and not when `data` itself is. */
export const rowProblemsSchema = problemSchema
  .extend({
    errors: z
      .array(z.object({ index: z.int(), field: z.string().nullable(), reason: z.string() }))
      .optional(),
    errors_omitted: z.int().optional(),
  })
  .openapi("RowProblems");

function degrees(limit: number, example: number) {
  return z
    .number({ error: expected(`a number from -${limit} to ${limit}`) })
    .min(-limit)
    .max(limit)
    .openapi({ description: "Degrees, WGS 84", example });
}

/** One sentence for all that can be wrong with a field. Text comes back shortened: it may be of any length. */
function expected(what: string) {
  return ({ input }: { input?: unknown }) =>
    input === undefined ? `missing: expected ${what}` : `expected ${what}, got ${describe(input)}`;
}

function describe(input: unknown): string {
  if (typeof input === "string") return JSON.stringify(input.length > 32 ? `${input.slice(0, 32)}…` : input);
  if (typeof input === "object" && input !== null) return Array.isArray(input) ? "an array" : "an object";
  return String(input);
}
