import { describe, expect, test } from "vitest";
import { checkGolden } from "./golden.ts";

describe("golden rows", () => {
  const check = (got: number, wanted: number) =>
    checkGolden("blue", [{ trip: {}, fare_amount: wanted }], {
      predictions: [{ fare_amount: got }],
      model: { name: "", version: "", digest: "" },
      color: "",
    });
  test("are answered rounded to the cent, where the last digits of the unrounded fare may differ", () => {
    for (const [got, wanted] of [
      [11.36, 11.3587],
      [11.36, 11.355000000001],
      [11.35, 11.355000000001],
      [2.5, 2.5],
    ])
      expect(() => check(got!, wanted!)).not.toThrow();
    for (const [got, wanted] of [
      [11.37, 11.3587],
      [11.3587, 11.3587],
      [Number.NaN, 11],
    ])
      expect(() => check(got!, wanted!)).toThrow(/golden row 0 with .*; the artifact says/);
  });
});
