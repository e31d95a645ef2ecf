import { describe, expect, it } from "vitest";
import { seeded } from "../../../../test.shared.ts";
import { type ColorTable, chooseColor, chooseFailover, type DrawState } from "./choose-color.ts";
import { NO_COLOR, SmoothRoundRobin } from "./pick-color.ts";

const NAMES = ["blue", "green", "red", "grey"];

const table = (weights: readonly number[], more: Partial<ColorTable> = {}): ColorTable => ({
  names: NAMES.slice(0, weights.length),
  weights,
  standby: NO_COLOR,
  split: "random",
  salt: "",
  ...more,
});

const state = (): DrawState => ({
  assign: new SmoothRoundRobin(),
  failover: NAMES.map(() => new SmoothRoundRobin()),
  random: seeded(1),
});

const all = () => true;

describe("failover", () => {
  it("goes to the other colors with weight, by weight", () => {
    const draws = state();
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 4000; i++)
      counts[chooseFailover(table([3, 2, 1, 0]), 1, undefined, draws, all)]! += 1;
    expect(counts[1]).toBe(0);
    expect(counts[3]).toBe(0);
    expect(Math.abs(counts[0]! - 3000)).toBeLessThan(3.3 * Math.sqrt(750));
  });

  it("goes to the standby only when no other color with weight can take it", () => {
    const routes = table([1, 1, 0, 0], { standby: 2 });
    expect(chooseFailover(routes, 0, undefined, state(), all)).toBe(1);
    expect(chooseFailover(routes, 0, undefined, state(), (color) => color !== 1)).toBe(2);
  });

  it("never goes to another color of weight 0, nor back to the assigned one", () => {
    const routes = table([1, 1, 0, 0], { standby: 2 });
    expect(chooseFailover(routes, 0, undefined, state(), (color) => color === 3)).toBe(NO_COLOR);
    expect(chooseFailover(routes, 0, undefined, state(), (color) => color === 0)).toBe(NO_COLOR);
    expect(chooseFailover(table([0, 1], { standby: 0 }), 0, undefined, state(), (color) => color === 0)).toBe(
      NO_COLOR,
    );
  });

  it("is exact where the split is, apart for each color that is failed over from", () => {
    const draws = state();
    const exact = table([2, 2, 1, 1], { split: "exact" });
    const counts = [
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ];
    for (let i = 0; i < 20; i++) {
      for (const assigned of [0, 1]) {
        counts[assigned]![chooseFailover(exact, assigned, undefined, draws, all)]! += 1;
      }
    }
    expect(counts).toEqual([
      [0, 10, 5, 5],
      [10, 0, 5, 5],
    ]);
  });

  it("takes nothing from the split's own order", () => {
    const exact = table([9, 1], { split: "exact" });
    const draws = state();
    const picks: number[] = [];
    for (let i = 0; i < 100; i++) {
      picks.push(chooseColor(exact, undefined, draws));
      chooseFailover(exact, 1, undefined, draws, all);
    }
    expect(picks.filter((color) => color === 1)).toHaveLength(10);
  });

  it("keeps a key together: its color in trouble, all its requests go one way", () => {
    const draws = state();
    const routes = table([3, 2, 1]);
    const usable = (color: number) => color !== 1;
    const ways = Array.from({ length: 500 }, (_, i) => chooseFailover(routes, 1, `key ${i}`, draws, usable));
    expect(
      Array.from({ length: 500 }, (_, i) => chooseFailover(routes, 1, `key ${i}`, draws, usable)),
    ).toEqual(ways);
    expect(Math.abs(ways.filter((color) => color === 0).length - 375)).toBeLessThan(3.3 * Math.sqrt(94));
  });
});
