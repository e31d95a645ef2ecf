import {
  type Artifact,
  DAY,
  DRIFT_VALUES,
  decilesOf,
  driftValue,
  formatPickupDatetime,
  fromWallSeconds,
  type Trip,
} from "@sluice/model/fitting";
import { orderOf } from "./data/split.ts";
import type { Trips } from "./data/trips.ts";

/** Smallest and largest value of each input over the given rows. */
export function boundsOf(trips: Trips, rows: Uint32Array): Artifact["input_bounds"] {
  const seconds = rangeOf(rows, (row) => trips.seconds(row));
  return {
    pickup_latitude: rangeOf(rows, (row) => trips.pickupLatitude(row)),
    pickup_longitude: rangeOf(rows, (row) => trips.pickupLongitude(row)),
    dropoff_latitude: rangeOf(rows, (row) => trips.dropoffLatitude(row)),
    dropoff_longitude: rangeOf(rows, (row) => trips.dropoffLongitude(row)),
    passenger_count: rangeOf(rows, (row) => trips.passengers(row)),
    distance_km: rangeOf(rows, (row) => trips.inputs(row).distanceKm),
    pickup_datetime: { min: dateText(seconds.min), max: dateText(seconds.max) },
  };
}

function rangeOf(rows: Uint32Array, value: (row: number) => number): { min: number; max: number } {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    const v = value(row);
    if (v < min) min = v;
    if (v > max) max = v;
  }
  return { min, max };
}

/** The deciles of what drift is watched in. @param fares what the model predicts for the rows, US dollars */
export function trainingDeciles(
  trips: Trips,
  rows: Uint32Array,
  fares: Float64Array,
): NonNullable<Artifact["training_deciles"]> {
  const sampled = Array.from(rows, (row) => tripOf(trips, row));
  const found = DRIFT_VALUES.map((name) => {
    const values = fares.map((fare, i) => driftValue(name, sampled[i]!, fare));
    return [name, decilesOf(values)] as const;
  });
  return Object.fromEntries(found.filter(([, deciles]) => deciles !== undefined));
}

/**
 * A time for trips that come without one: of the last year's trips, because the tariff rose, those of the busiest hour,
 * and of these the middle one.
 */
export function typicalTime(trips: Trips, rows: Uint32Array): string {
  let last = Number.NEGATIVE_INFINITY;
  for (const row of rows) last = Math.max(last, trips.seconds(row));
  const byHour: number[][] = Array.from({ length: 24 }, () => []);
  for (const row of rows) {
    const seconds = trips.seconds(row);
    if (seconds > last - 365 * DAY) byHour[Math.floor((seconds % DAY) / 3600)]!.push(seconds);
  }
  const busiest = byHour
    .reduce((most, hour) => (hour.length > most.length ? hour : most))
    .sort((a, b) => a - b);
  return dateText(busiest[busiest.length >> 1]!);
}

/** `count` of the rows, evenly from the lowest value to the highest. */
export function spread(rows: Uint32Array, values: Float64Array, count: number): number[] {
  const order = orderOf(values);
  return Array.from(
    { length: count },
    (_, k) => rows[order[Math.floor((k * (order.length - 1)) / (count - 1))]!]!,
  );
}

/** A row as a client would send it. */
export function tripOf(trips: Trips, row: number): Trip {
  const inputs = trips.inputs(row);
  return {
    pickup_latitude: inputs.pickupLatitude,
    pickup_longitude: inputs.pickupLongitude,
    dropoff_latitude: inputs.dropoffLatitude,
    dropoff_longitude: inputs.dropoffLongitude,
    passenger_count: inputs.passengers,
    pickup_datetime: dateText(inputs.seconds),
  };
}

function dateText(seconds: number): string {
  return formatPickupDatetime(fromWallSeconds(seconds));
}
