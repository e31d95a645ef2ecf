import { type Artifact, artifactSchema } from "./artifact.ts";
import { ArtifactError } from "./artifact-error.ts";
import { artifactDigest } from "./digest.ts";
import { createPredictor, type Model, type Predictor } from "./model.ts";
import type { Trip } from "./trip.ts";

/** How far a golden row's prediction may be from what the artifact says, US dollars. */
export const GOLDEN_TOLERANCE = 1e-9;

/**
 * Reads `model.json` and proves it: schema, digest, recipe, features, golden rows, in this order.
 * @throws ArtifactError with one sentence that says what differs.
 */
export function loadModel(text: string): Model {
  const artifact = readArtifact(text);
  const actual = artifactDigest(artifact);
  if (actual !== artifact.digest) {
    throw new ArtifactError(
      `the digest is ${artifact.digest} but the content has ${actual}: it was changed.`,
    );
  }
  const predictor = createPredictor(artifact);
  checkGolden(artifact, predictor);
  return { artifact, ...predictor };
}

/** As `loadModel`, for those who need the content only. @throws ArtifactError */
export function parseArtifact(text: string): Artifact {
  return loadModel(text).artifact;
}

function readArtifact(text: string): Artifact {
  const value = parseJson(text);
  const version = (value as { schema_version?: unknown } | null)?.schema_version;
  if (version !== undefined && version !== 1) {
    throw new ArtifactError(`schema_version is ${JSON.stringify(version)}: this version reads only 1.`);
  }
  const result = artifactSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = issue.path.join(".") || "the document";
  throw new ArtifactError(`${path} is not as the schema says: ${issue.message}.`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const length = `${text.length} characters`;
    throw new ArtifactError(`it is not JSON, perhaps cut off (${length}): ${(error as Error).message}.`);
  }
}

function checkGolden(artifact: Artifact, predictor: Predictor): void {
  for (const [row, { trip, fare_amount }] of artifact.golden.entries()) {
    const actual = repredict(predictor, trip, row);
    if (!(Math.abs(actual - fare_amount) <= GOLDEN_TOLERANCE)) {
      throw new ArtifactError(`golden row ${row} predicts ${actual} but says ${fare_amount}.`);
    }
  }
}

function repredict(predictor: Predictor, trip: Trip, row: number): number {
  try {
    return predictor.predictFare(trip);
  } catch (error) {
    throw new ArtifactError(`golden row ${row} cannot be predicted: ${(error as Error).message}.`);
  }
}
