import { expect, it } from "vitest";
import { unquiet } from "./latency.ts";

it("warns where the client itself sends late", () => {
  expect(unquiet(5)).toMatch(/not quiet/);
  expect(unquiet(0.2)).toBe("");
  expect(unquiet(undefined)).toBe("");
});
