import { describe, expect, it } from "vitest";
import { seeded } from "../../../../test.shared.ts";
import { pickByKey, uniform } from "./affinity.ts";
import { NO_COLOR } from "./pick-color.ts";

const TWO = ["blue", "green"];
const THREE = ["blue", "green", "red"];
const random = seeded(11);
const KEYS = Array.from({ length: 5000 }, () => `${random().toString(36)}${random().toString(36)}`);

const colorsOf = (names: readonly string[], weights: readonly number[], salt = "") =>
  KEYS.map((key) => pickByKey(names, weights, salt, key));

describe("a share of users", () => {
  const serial = [
    "user-",
    "user",
    "user_",
    "",
    "u",
    "u-",
    "id-",
    "id",
    "client-",
    "key-",
    "session-",
    "customer-",
  ];
  it.each(serial)("is 60 %% of 1,000 ids that begin with '%s', within 2 points", (prefix) => {
    for (const from of [0, 1]) {
      const ids = Array.from({ length: 1000 }, (_, i) => `${prefix}${i + from}`);
      for (const [weights, wanted] of [
        [[60, 40], 600],
        [[40, 60], 400],
      ] as const) {
        const blue = ids.filter((id) => pickByKey(TWO, weights, "", id) === 0).length;
        expect(Math.abs(blue - wanted)).toBeLessThanOrEqual(20);
      }
    }
  });

  it("is the weight's, by the 99.9 % binomial interval", () => {
    for (const salt of ["", "a", "b", "c"]) {
      for (const weights of [
        [9, 1],
        [1, 1],
        [0.5, 99.5],
      ]) {
        const share = weights[0]! / (weights[0]! + weights[1]!);
        const blue = colorsOf(TWO, weights, salt).filter((color) => color === 0).length;
        const half = 3.2905 * Math.sqrt(KEYS.length * share * (1 - share));
        expect(Math.abs(blue - KEYS.length * share)).toBeLessThanOrEqual(half);
      }
    }
  });

  it("does not depend on the scale of the weights", () => {
    const expected = colorsOf(THREE, [3, 2, 1]);
    for (const scale of [1e-6, 0.1, 7, 1e9]) {
      expect(colorsOf(THREE, [3 * scale, 2 * scale, scale])).toEqual(expected);
    }
  });
});

describe("ramping a color up", () => {
  it.each([0, 1, 2])("moves users only to it and nobody back or between others (color %i of 3)", (raised) => {
    const weights = [30, 20, 50];
    weights[raised] = 0;
    let before = colorsOf(THREE, weights);
    for (const weight of [0.01, 0.1, 1, 2, 5, 10, 25, 50, 75, 100, 400, 10_000]) {
      weights[raised] = weight;
      const after = colorsOf(THREE, weights);
      const moved = after.filter((color, i) => color !== before[i]);
      expect(moved.every((color) => color === raised)).toBe(true);
      before = after;
    }
    expect(before.filter((color) => color === raised).length).toBeGreaterThan(0.98 * KEYS.length);
  });

  it("in steps of percent (5, 25, 50, 100) moves nobody back to the stable color", () => {
    let before = colorsOf(TWO, [100, 0]);
    for (const share of [5, 25, 50, 100]) {
      const after = colorsOf(TWO, [100 - share, share]);
      expect(after.some((color, i) => color === 0 && before[i] === 1)).toBe(false);
      before = after;
    }
    expect(before.every((color) => color === 1)).toBe(true);
  });
});

it("never reaches a color of weight 0", () => {
  expect(colorsOf(THREE, [1, 0, 1])).not.toContain(1);
  expect(pickByKey(TWO, [0, 0], "", "key")).toBe(NO_COLOR);
});

it("orders users anew for each salt", () => {
  const first = (salt: string) => colorsOf(TWO, [90, 10], salt).map((color) => color === 1);
  const [a, b] = [first("rollout-1"), first("rollout-2")];
  const both = a.filter((chosen, i) => chosen && b[i]).length;
  expect(both / KEYS.length).toBeGreaterThan(0.005);
  expect(both / KEYS.length).toBeLessThan(0.015); // 1 % by chance; 10 % were it the same users
});

it("keeps salt, color and key apart", () => {
  const one = Array.from({ length: 200 }, (_, i) => pickByKey(["a", "ab"], [1, 1], "x", `b${i}`));
  const two = Array.from({ length: 200 }, (_, i) => pickByKey(["a", "ab"], [1, 1], "xa", `b${i}`));
  expect(one).not.toEqual(two);
});

it("hashes evenly, and strictly between 0 and 1", () => {
  const cells = new Array<number>(100).fill(0);
  for (let i = 0; i < 100_000; i++) cells[Math.floor(uniform(`key ${i}`) * 100)]! += 1;
  const chi = cells.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
  expect(chi).toBeLessThan(148.2); // the 99.9 % point of 99 degrees of freedom
  expect(uniform("")).toBeGreaterThan(0);
  expect(uniform("\uffff".repeat(20_000))).toBeLessThan(1);
});
