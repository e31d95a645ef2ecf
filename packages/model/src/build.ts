import type { Artifact, ArtifactBody } from "./artifact.ts";
import { ArtifactError } from "./artifact-error.ts";
import { signArtifact } from "./digest.ts";
import { createPredictor } from "./model.ts";
import type { Trip } from "./trip.ts";

/** The number of golden rows in an artifact. */
export const GOLDEN_ROWS = 20;

/** Adds the golden rows, predicted by the body itself, and the digest. `goldenTrips` are 20 trips. */
export function buildArtifact(body: ArtifactBody, goldenTrips: readonly Trip[]): Artifact {
  if (goldenTrips.length !== GOLDEN_ROWS) {
    throw new ArtifactError(`${goldenTrips.length} golden trips were given: expected ${GOLDEN_ROWS}.`);
  }
  const { predictFare } = createPredictor(body);
  const golden = goldenTrips.map((trip) => ({ trip: { ...trip }, fare_amount: predictFare(trip) }));
  return signArtifact({ ...body, golden });
}
