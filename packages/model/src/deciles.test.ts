import { expect, test } from "vitest";
import { decilesOf, driftValue, tenthOf } from "./deciles.ts";

const hundred = Float64Array.from({ length: 100 }, (_, i) => 100 - i);

test("deciles part the values in tenths", () => {
  const deciles = decilesOf(hundred)!;
  expect(deciles).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90]);
  const counts = new Array(10).fill(0);
  for (const value of hundred) counts[tenthOf(deciles, value)]++;
  expect(counts).toEqual(new Array(10).fill(10));
});

test("an edge belongs to the tenth below it, and what is outside to the outermost", () => {
  const deciles = decilesOf(hundred)!;
  expect([10, 10.001, 90, 90.001].map((value) => tenthOf(deciles, value))).toEqual([0, 1, 8, 9]);
  expect([-1e9, 1e9].map((value) => tenthOf(deciles, value))).toEqual([0, 9]);
});

test("there are none where too many values are equal, or none at all", () => {
  expect(decilesOf(hundred.map((value) => Math.min(value, 75)))).toBeUndefined();
  expect(decilesOf(new Float64Array())).toBeUndefined();
});

test("a trip's values are its fields, its length and its fare", () => {
  const trip = {
    pickup_latitude: 40,
    pickup_longitude: -74,
    dropoff_latitude: 41,
    dropoff_longitude: -74,
    passenger_count: 1,
  };
  expect(driftValue("dropoff_latitude", trip, 9)).toBe(41);
  expect(driftValue("fare_amount", trip, 9)).toBe(9);
  expect(driftValue("distance_km", trip, 9)).toBeCloseTo(111.195, 3);
});
