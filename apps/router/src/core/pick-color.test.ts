import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seeded } from "../../../../test.shared.ts";
import { drawByWeight, NO_COLOR, SmoothRoundRobin } from "./pick-color.ts";

function draw(weights: readonly number[], times: number, random: () => number): number[] {
  const counts = weights.map(() => 0);
  for (let i = 0; i < times; i++) counts[drawByWeight(weights, random())]! += 1;
  return counts;
}

function picks(robin: SmoothRoundRobin, weights: readonly number[], times: number): number[] {
  return Array.from({ length: times }, () => robin.next(weights));
}

const count = (all: readonly number[], color: number) => all.filter((each) => each === color).length;

describe("random", () => {
  it("gives 9 and 1 of 10,000 within the 99.9 % binomial interval", () => {
    const half = 3.2905 * Math.sqrt(10_000 * 0.9 * 0.1);
    for (let seed = 1; seed <= 5; seed++) {
      const [blue] = draw([9, 1], 10_000, seeded(seed));
      expect(Math.abs(blue! - 9000)).toBeLessThanOrEqual(half);
    }
  });

  it("takes weights of any scale", () => {
    const expected = draw([9, 1], 1000, seeded(7));
    for (const scale of [1e-9, 0.1, 1e6, 1e300]) {
      expect(draw([9 * scale, scale], 1000, seeded(7))).toEqual(expected);
    }
  });

  it("resolves a hundredth of a percent", () => {
    const [, rare] = draw([9999, 1], 1_000_000, seeded(3));
    expect(rare).toBeGreaterThan(67);
    expect(rare).toBeLessThan(133);
  });

  it("never draws a weight of 0, at the edges neither", () => {
    expect(drawByWeight([0, 1, 0], 0)).toBe(1);
    expect(drawByWeight([0, 1, 0], 1 - 2 ** -53)).toBe(1);
    expect(drawByWeight([0, 0], 0.5)).toBe(NO_COLOR);
    expect(drawByWeight([1, 1], 0.5)).toBe(1); // half of [0, 1) is [0, 0.5)
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-300, max: 1e300, noNaN: true })), {
          minLength: 1,
        }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (weights, u) => {
          const color = drawByWeight(weights, u);
          if (color === NO_COLOR) expect(weights.every((weight) => weight === 0)).toBe(true);
          else expect(weights[color]).toBeGreaterThan(0);
        },
      ),
    );
  });
});

describe("exact", () => {
  it("gives exactly 90 of 100, and 1 of any 10 in a row", () => {
    const all = picks(new SmoothRoundRobin(), [9, 1], 100);
    expect(count(all, 0)).toBe(90);
    for (let i = 0; i + 10 <= all.length; i++) expect(count(all.slice(i, i + 10), 1)).toBe(1);
  });

  it("goes in the same order whatever the scale, for ever: rounding decides no tie", () => {
    for (const whole of [
      [9, 1],
      [7, 2, 1],
      [3, 3, 3],
    ]) {
      const expected = picks(new SmoothRoundRobin(), whole, 30_000);
      const tenths = whole.map((weight) => weight / 10);
      expect(picks(new SmoothRoundRobin(), tenths, 30_000)).toEqual(expected);
    }
  });

  it("is never off by more than the number of colors", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 5 }), (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        fc.pre(total > 0);
        const robin = new SmoothRoundRobin();
        const counts = weights.map(() => 0);
        for (let n = 1; n <= 500; n++) {
          counts[robin.next(weights)]! += 1;
          for (const [i, weight] of weights.entries()) {
            expect(Math.abs(counts[i]! - (n * weight) / total)).toBeLessThan(weights.length);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it("gives weight 0 nothing, and says so where all are 0", () => {
    expect(count(picks(new SmoothRoundRobin(), [0, 3, 0], 50), 1)).toBe(50);
    expect(new SmoothRoundRobin().next([0, 0])).toBe(NO_COLOR);
  });

  it("starts anew when a weight changes, so that nothing that was owed comes as a burst", () => {
    const robin = new SmoothRoundRobin();
    picks(robin, [9, 1], 5); // green is owed a half
    expect(picks(robin, [1, 1], 4)).toEqual(picks(new SmoothRoundRobin(), [1, 1], 4));
    picks(robin, [1, 0], 1000);
    expect(picks(robin, [1, 1], 6)).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it("keeps its place while the weights are the same, whoever holds them", () => {
    const robin = new SmoothRoundRobin();
    const all = Array.from({ length: 100 }, () => robin.next([9, 1]));
    expect(count(all, 1)).toBe(10);
    picks(robin, [9, 1], 5);
    robin.next([0, 0]); // nobody can take it for a moment
    expect(count(picks(robin, [9, 1], 5), 1)).toBe(1);
  });
});
