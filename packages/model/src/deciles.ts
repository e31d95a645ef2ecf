import { haversineKm } from "./geo.ts";
import type { Trip } from "./trip.ts";

/**
 * What drift is watched in: what moves freely. Passengers have too few values for tenths, and the hour of the trips of
 * one hour says nothing. `fare_amount` is what the model predicts.
 */
export const DRIFT_VALUES = [
  "pickup_latitude",
  "pickup_longitude",
  "dropoff_latitude",
  "dropoff_longitude",
  "distance_km",
  "fare_amount",
] as const;
export type DriftValue = (typeof DRIFT_VALUES)[number];

/** The nine values, ascending, that part the data in tenths; undefined where too many are equal for that. */
export function decilesOf(values: Float64Array): number[] | undefined {
  const sorted = values.toSorted();
  const edges = Array.from({ length: 9 }, (_, i) => sorted[Math.ceil((sorted.length * (i + 1)) / 10) - 1]!);
  return edges.every((edge, i) => edge > (edges[i - 1] ?? Number.NEGATIVE_INFINITY)) ? edges : undefined;
}

/** The tenth that a value falls into, 0 to 9; an edge belongs to the tenth below it. */
export function tenthOf(deciles: readonly number[], value: number): number {
  const above = deciles.findIndex((edge) => value <= edge);
  return above < 0 ? deciles.length : above;
}

/** A trip's value, in degrees, kilometers or US dollars. @param fare what the model predicted for it */
export function driftValue(name: DriftValue, trip: Trip, fare: number): number {
  if (name === "fare_amount") return fare;
  if (name !== "distance_km") return trip[name];
  return haversineKm(
    trip.pickup_latitude,
    trip.pickup_longitude,
    trip.dropoff_latitude,
    trip.dropoff_longitude,
  );
}
