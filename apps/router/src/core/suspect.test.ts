import { expect, it } from "vitest";
import { silenceAllowed } from "./suspect.ts";

it("allows ten times the color's p95, and never less than 100 ms", () => {
  expect(silenceAllowed(5, 400)).toBe(100);
  expect(silenceAllowed(10, undefined)).toBe(100);
  expect(silenceAllowed(30, undefined)).toBe(300);
});

it("measures a color without a p95 by the slowest other, and allows it a second", () => {
  expect(silenceAllowed(undefined, 5)).toBe(1000);
  expect(silenceAllowed(undefined, 400)).toBe(4000);
});

it("suspects nobody while nothing was ever measured", () => {
  expect(silenceAllowed(undefined, undefined)).toBe(Number.POSITIVE_INFINITY);
});
