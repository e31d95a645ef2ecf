import { makeInputs, parsePickupDatetime, wallSeconds } from "@sluice/model";
import { describe, expect, test } from "vitest";
import { measure, rmseInterval } from "./metrics.ts";
import { tariffFare } from "./tariff.ts";

describe("measure", () => {
  test("computes RMSE, mean absolute error and R²", () => {
    const { rmse, mae, r2, n } = measure([10, 20, 30], [11, 18, 30]);
    expect(rmse).toBeCloseTo(Math.sqrt(5 / 3), 12);
    expect(mae).toBeCloseTo(1, 12);
    expect(r2).toBeCloseTo(1 - 5 / 200, 12);
    expect(n).toBe(3);
  });

  test("gives R² 0 when all fares are the same", () => {
    expect(measure([5, 5], [4, 6]).r2).toBe(0);
  });
});

test("the interval of the RMSE holds the RMSE, and closes when all errors are alike", () => {
  const [low, high] = rmseInterval([1, 2, 3, 4], [2, 2, 5, 4]);
  const { rmse } = measure([1, 2, 3, 4], [2, 2, 5, 4]);
  expect(low).toBeLessThan(rmse);
  expect(high).toBeGreaterThan(rmse);
  expect(rmseInterval([1, 2], [3, 4])).toEqual([2, 2]);
});

describe("the tariff formula", () => {
  const fare = (time: string, ends: [number, number, number, number]) =>
    tariffFare(makeInputs(...ends, 1, wallSeconds(parsePickupDatetime(time)!)));
  const still: [number, number, number, number] = [40.75, -73.98, 40.75, -73.98];
  const kennedy: [number, number, number, number] = [40.6446, -73.7829, 40.7549, -73.984];
  // One kilometre due north is cos 29° + sin 29° = 1.359 km on the grid, 0.845 miles, 5 started fifths.
  const north: [number, number, number, number] = [40.75, -73.98, 40.75 + 1 / 111.19508, -73.98];

  test.each([
    ["2012-05-09 12:00:00", still, 2.5],
    ["2012-05-09 21:00:00", still, 3],
    ["2012-05-09 17:00:00", still, 3.5],
    ["2012-05-12 17:00:00", still, 2.5],
    ["2012-05-09 12:00:00", north, 4.5],
    ["2013-05-09 12:00:00", north, 5],
    ["2012-05-09 17:00:00", kennedy, 45],
    ["2013-05-09 12:00:00", kennedy, 52],
  ] as const)("at %s for %j is %d", (time, ends, expected) => {
    expect(fare(time, [...ends])).toBeCloseTo(expected, 9);
  });
});
