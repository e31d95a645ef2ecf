import { expect, it } from "vitest";
import { median, quantile, slope } from "./statistics.ts";

it("takes the middle of an odd number of values, in any order", () => {
  expect(median([9, 1, 5])).toBe(5);
});

it("takes the mean of the two in the middle of an even number", () => {
  expect(median([10, 2])).toBe(6);
});

it("has no median of nothing", () => {
  expect(median([])).toBeNaN();
});

it("sorts by number, not by text", () => {
  expect(median([10, 9, 100])).toBe(10);
});

it("takes quantiles by nearest rank", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(quantile(hundred, 0.99)).toBe(99);
  expect(quantile(hundred, 1)).toBe(100);
  expect(quantile([7], 0.5)).toBe(7);
  expect(quantile([], 0.5)).toBeNaN();
});

it("finds the slope of a line, and of a cloud around one", () => {
  expect(slope([0, 1, 2], [5, 7, 9])).toBe(2);
  expect(slope([0, 1, 2, 3], [1, 0, 1, 0])).toBeCloseTo(-0.2);
  expect(slope([1], [1])).toBeNaN();
});
