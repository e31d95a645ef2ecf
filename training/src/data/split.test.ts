import { describe, expect, test } from "vitest";
import { mulberry32, orderOf, splitRows } from "./split.ts";

const oddness = Float64Array.from({ length: 1003 }, (_, i) => Math.sin(i * i));

describe("splitRows", () => {
  test("deals every row once, a fifth to the test", () => {
    const { train, test: tested } = splitRows(oddness, 1);
    expect([...train, ...tested].sort((a, b) => a - b)).toEqual(Array.from({ length: 1003 }, (_, i) => i));
    expect(tested.length).toBeGreaterThanOrEqual(200);
    expect(tested.length).toBeLessThanOrEqual(201);
  });

  test("deals the same with the same seed, and otherwise with another", () => {
    expect(splitRows(oddness, 7)).toEqual(splitRows(oddness, 7));
    expect(splitRows(oddness, 7)).not.toEqual(splitRows(oddness, 8));
  });

  test("draws one of each five rows of similar oddness", () => {
    const { test: tested } = splitRows(
      Float64Array.from({ length: 100 }, (_, i) => i),
      3,
    );
    expect([...tested].map((row) => Math.floor(row / 5))).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  test("gives every row one chance in five, the oddest of the last group too", () => {
    const drawn = new Array<number>(13).fill(0);
    for (let seed = 0; seed < 4000; seed++) {
      for (const row of splitRows(
        Float64Array.from({ length: 13 }, (_, i) => i),
        seed,
      ).test)
        drawn[row]!++;
    }
    for (const count of drawn) expect(Math.abs(count / 4000 - 0.2)).toBeLessThan(0.03);
  });
});

test("orderOf gives indices by value, and equal values as they come", () => {
  expect([...orderOf(Float64Array.of(3, 0, -2, 3, -0, 0, 3))]).toEqual([2, 1, 4, 5, 0, 3, 6]);
  expect([...orderOf(new Float64Array(0))]).toEqual([]);
});

test("mulberry32 gives the published sequence", () => {
  const random = mulberry32(1);
  expect([random(), random()].map((value) => value.toFixed(9))).toEqual(["0.627073941", "0.002735721"]);
});
