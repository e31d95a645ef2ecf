import type { Artifact, ArtifactBody } from "./artifact.ts";
import { buildArtifact, GOLDEN_ROWS } from "./build.ts";
import { artifactDigest } from "./digest.ts";
import { baseline } from "./recipes/baseline.ts";
import type { Trip } from "./trip.ts";

/** US dollars for one unit of each feature of recipe `baseline`: near the tariff, and easy to check by hand. */
const weights: Readonly<Record<string, number>> = { haversine_km: 2, passengers: 0.1, year: 0.5 };

/**
 * A small, valid, deterministic artifact that nobody trained, for tests: recipe `baseline`, fare = 4 + 2 · km +
 * 0.1 · passengers + 0.5 · (year − 2012).
 * @param version lets a test tell two of them apart; it changes the digest too.
 */
export function mockArtifact(version = "0.0.0"): Artifact {
  return buildArtifact(mockBody(version), goldenTrips());
}

function mockBody(version: string): ArtifactBody {
  const features = baseline.features.map((feature) => feature.name);
  return {
    schema_version: 1,
    name: "taxi-fare",
    version,
    created: "2026-01-01T00:00:00Z",
    recipe: baseline.name,
    training_data: {
      digest: artifactDigest({} as Artifact),
      seed: 1,
      rows_read: 0,
      rows_used: 0,
      rows_train: 0,
      rows_test: 0,
      rows_dropped: {},
    },
    features,
    scaling: { mean: features.map((name) => (name === "year" ? 2012 : 0)), sd: features.map(() => 1) },
    coefficients: features.map((name) => weights[name] ?? 0),
    intercept: 4,
    typical_pickup_datetime: "2014-06-11 19:00:00",
    input_bounds: {
      pickup_latitude: { min: 40.5, max: 40.9 },
      pickup_longitude: { min: -74.25, max: -73.7 },
      dropoff_latitude: { min: 40.5, max: 40.9 },
      dropoff_longitude: { min: -74.25, max: -73.7 },
      passenger_count: { min: 1, max: 6 },
      distance_km: { min: 0, max: 60 },
      pickup_datetime: { min: "2009-01-01 00:00:00", max: "2015-06-30 23:59:59" },
    },
    fare_ceiling: 150,
    metrics: { rmse: 0, mae: 0, r2: 1, n: 0 },
  };
}

function goldenTrips(): Trip[] {
  return Array.from({ length: GOLDEN_ROWS }, (_, i) => ({
    pickup_latitude: 40.7 + i * 0.005,
    pickup_longitude: -74.0 + i * 0.01,
    dropoff_latitude: 40.75,
    dropoff_longitude: -73.98,
    passenger_count: 1 + (i % 6),
    pickup_datetime: `2014-03-${String(i + 1).padStart(2, "0")} ${String(i).padStart(2, "0")}:30:00`,
  }));
}
