import { expect, it } from "vitest";
import { GROWN_UP, Restarts } from "./restarts.ts";

it("replaces a worker at once, and holds back more and more those that end as soon as they are there", () => {
  const restarts = new Restarts();
  const delays = Array.from({ length: 9 }, () => restarts.delay(10));
  expect(delays).toEqual([0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
});

it("forgets a storm once a worker has lived for a while", () => {
  const restarts = new Restarts();
  for (let i = 0; i < 5; i++) restarts.delay(0);
  expect(restarts.delay(GROWN_UP)).toBe(0);
  expect(restarts.delay(0)).toBe(0);
  expect(restarts.delay(0)).toBe(100);
});
