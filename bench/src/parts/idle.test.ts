import { expect, it } from "vitest";
import { countWithin } from "./idle.ts";

it("opens as many as wanted where files suffice, and else leaves some to spare", () => {
  expect(countWithin(10_000, 20_000)).toBe(10_000);
  expect(countWithin(10_000, Number.POSITIVE_INFINITY)).toBe(10_000);
  expect(countWithin(10_000, 1024)).toBe(524);
  expect(countWithin(10_000, 256)).toBe(1);
});
