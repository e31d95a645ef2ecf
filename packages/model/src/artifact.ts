import { z } from "zod";
import { DRIFT_VALUES } from "./deciles.ts";

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, "expected sha256: and 64 hexadecimal digits");
const count = z.int().min(0);
const range = z.strictObject({ min: z.number(), max: z.number() });

const deciles = z
  .array(z.number())
  .length(9)
  .refine((edges) => edges.every((edge, i) => i === 0 || edge > edges[i - 1]!), "expected ascending numbers");

const trip = z.strictObject({
  pickup_latitude: z.number(),
  pickup_longitude: z.number(),
  dropoff_latitude: z.number(),
  dropoff_longitude: z.number(),
  passenger_count: z.number(),
  pickup_datetime: z.string().optional(),
});

/** `model.json`: everything a server needs to predict, and to prove that it predicts as the trainer did. */
export const artifactSchema = z.strictObject({
  schema_version: z.literal(1),
  name: z.string().min(1),
  /** Semantic version of the model, such as 1.0.1. */
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/, "expected a version like 1.0.0"),
  /** ISO 8601, UTC. Not part of the digest. */
  created: z.iso.datetime(),
  /** Which function of this package turns a trip into features. */
  recipe: z.string().min(1),
  /** What the model was fitted on. `digest` is over the bytes of the CSV file. */
  training_data: z.strictObject({
    digest,
    seed: count,
    rows_read: count,
    rows_used: count,
    rows_train: count,
    rows_test: count,
    /** Rows that the cleaning left out, by the rule that each met first. */
    rows_dropped: z.record(z.string(), count),
  }),
  /** The columns of the regression: all or some of the recipe's, in the recipe's order. */
  features: z.array(z.string()).min(1),
  /** Feature values are centred by `mean` and divided by `sd` before they meet their coefficient. */
  scaling: z.strictObject({ mean: z.array(z.number()), sd: z.array(z.number().positive()) }),
  /** US dollars for one standard deviation of the feature. */
  coefficients: z.array(z.number()),
  /** US dollars at the mean of every feature. */
  intercept: z.number(),
  /** Stands in for a trip's missing pickup_datetime. */
  typical_pickup_datetime: z.string(),
  /** What training has seen; trips outside are answered from the nearest point inside and marked. */
  input_bounds: z.strictObject({
    pickup_latitude: range,
    pickup_longitude: range,
    dropoff_latitude: range,
    dropoff_longitude: range,
    passenger_count: range,
    distance_km: range,
    pickup_datetime: z.strictObject({ min: z.string(), max: z.string() }),
  }),
  /** The values that part the training rows in tenths, for those that have enough different ones. */
  training_deciles: z.partialRecord(z.enum(DRIFT_VALUES), deciles).optional(),
  /** The dearest fare that was predicted in training, US dollars: no extrapolation goes above it. */
  fare_ceiling: z.number().min(2.5),
  /** On the test split: US dollars, but for `r2`, the share of variance explained, and `n`, the rows. */
  metrics: z.strictObject({ rmse: z.number(), mae: z.number(), r2: z.number(), n: count }),
  /** Trips with their predictions before rounding, which every server must repeat to 1e-9. */
  golden: z.array(z.strictObject({ trip, fare_amount: z.number() })).length(20),
  /** SHA-256 over the canonical JSON of everything but `created` and `digest`. */
  digest,
});
export type Artifact = z.infer<typeof artifactSchema>;

/** An artifact before its golden rows and its digest. */
export type ArtifactBody = Omit<Artifact, "golden" | "digest">;
