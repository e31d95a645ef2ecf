import { DAY, parsePickupDatetime, wallSeconds } from "./datetime.ts";
import { haversineKm, KM_PER_LATITUDE, KM_PER_LONGITUDE } from "./geo.ts";
import type { Trip } from "./trip.ts";

/** What a recipe computes features from: finite numbers inside the trained bounds. */
export interface Inputs {
  pickupLatitude: number;
  pickupLongitude: number;
  dropoffLatitude: number;
  dropoffLongitude: number;
  passengers: number;
  /** New York wall-clock seconds since 1970-01-01 00:00. */
  seconds: number;
  /** Great-circle length of the trip, kilometres. */
  distanceKm: number;
  /** The trip's displacement to the east and to the north, kilometres. */
  eastKm: number;
  northKm: number;
}

/** Smallest and largest value that training has seen, both included. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface InputBounds {
  readonly pickup_latitude: Range;
  readonly pickup_longitude: Range;
  readonly dropoff_latitude: Range;
  readonly dropoff_longitude: Range;
  readonly passenger_count: Range;
  /** Kilometres. */
  readonly distance_km: Range;
  /** Wall-clock seconds since 1970-01-01 00:00. */
  readonly pickup_seconds: Range;
}

const numbers = [
  "pickup_latitude",
  "pickup_longitude",
  "dropoff_latitude",
  "dropoff_longitude",
  "passenger_count",
] as const;

/**
 * Reads a trip without regard to any bounds.
 * @param typicalSeconds stands in for a missing pickup time.
 * @throws RangeError that names the field, for a number that is not finite or a time that does not exist.
 */
export function readTrip(trip: Trip, typicalSeconds: number): Inputs {
  for (const name of numbers) {
    if (!Number.isFinite(trip[name]))
      throw new RangeError(`${name} is ${trip[name]}: expected a finite number`);
  }
  return makeInputs(
    trip.pickup_latitude,
    trip.pickup_longitude,
    trip.dropoff_latitude,
    trip.dropoff_longitude,
    trip.passenger_count,
    trip.pickup_datetime === undefined ? typicalSeconds : readSeconds(trip.pickup_datetime),
  );
}

/** Inputs from plain numbers: degrees, a count, and wall-clock seconds since 1970-01-01 00:00. */
export function makeInputs(
  pickupLatitude: number,
  pickupLongitude: number,
  dropoffLatitude: number,
  dropoffLongitude: number,
  passengers: number,
  seconds: number,
): Inputs {
  return {
    pickupLatitude,
    pickupLongitude,
    dropoffLatitude,
    dropoffLongitude,
    passengers,
    seconds,
    distanceKm: haversineKm(pickupLatitude, pickupLongitude, dropoffLatitude, dropoffLongitude),
    eastKm: (dropoffLongitude - pickupLongitude) * KM_PER_LONGITUDE,
    northKm: (dropoffLatitude - pickupLatitude) * KM_PER_LATITUDE,
  };
}

function readSeconds(text: string): number {
  const time = parsePickupDatetime(text);
  if (!time) throw new RangeError(`pickup_datetime is ${JSON.stringify(text)}: expected YYYY-MM-DD HH:MM:SS`);
  return wallSeconds(time);
}

/**
 * Moves inputs into the bounds, in place. The ends go to the nearest trained point; the trip keeps its direction and, up
 * to the longest trained trip, its length; a date outside the data becomes the same weekday and hour of the nearest
 * year inside it.
 * @returns true when anything lay outside.
 */
export function clampInputs(inputs: Inputs, bounds: InputBounds): boolean {
  if (isInside(inputs, bounds)) return false;
  inputs.pickupLatitude = clamp(inputs.pickupLatitude, bounds.pickup_latitude);
  inputs.pickupLongitude = clamp(inputs.pickupLongitude, bounds.pickup_longitude);
  inputs.dropoffLatitude = clamp(inputs.dropoffLatitude, bounds.dropoff_latitude);
  inputs.dropoffLongitude = clamp(inputs.dropoffLongitude, bounds.dropoff_longitude);
  inputs.passengers = clamp(inputs.passengers, bounds.passenger_count);
  inputs.seconds = clampDate(inputs.seconds, bounds.pickup_seconds);
  if (inputs.distanceKm > bounds.distance_km.max) shorten(inputs, bounds.distance_km.max);
  return true;
}

function isInside(inputs: Inputs, bounds: InputBounds): boolean {
  return (
    within(inputs.pickupLatitude, bounds.pickup_latitude) &&
    within(inputs.pickupLongitude, bounds.pickup_longitude) &&
    within(inputs.dropoffLatitude, bounds.dropoff_latitude) &&
    within(inputs.dropoffLongitude, bounds.dropoff_longitude) &&
    within(inputs.passengers, bounds.passenger_count) &&
    within(inputs.seconds, bounds.pickup_seconds) &&
    inputs.distanceKm <= bounds.distance_km.max
  );
}

function within(value: number, range: Range): boolean {
  return value >= range.min && value <= range.max;
}

function clamp(value: number, range: Range): number {
  return Math.min(range.max, Math.max(range.min, value));
}

/** Away from New York, degrees are other kilometres, so the displacement is scaled by its own length. */
function shorten(inputs: Inputs, longest: number): void {
  const share = longest / Math.hypot(inputs.eastKm, inputs.northKm);
  inputs.eastKm *= share;
  inputs.northKm *= share;
  inputs.distanceKm = longest;
}

/** 52 weeks keep the weekday and, nearly, the season; with less than a year of data single weeks keep the weekday. */
function clampDate(seconds: number, range: Range): number {
  for (const step of [364 * DAY, 7 * DAY]) {
    const ahead = Math.max(0, Math.ceil((seconds - range.max) / step));
    const behind = Math.max(0, Math.ceil((range.min - seconds) / step));
    const moved = seconds + (behind - ahead) * step;
    if (moved >= range.min && moved <= range.max) return moved;
  }
  return clamp(seconds, range);
}
