import { describe, expect, it } from "vitest";
import { logAbove, logBelow } from "./absolute-rate.ts";
import { rateInterval } from "./interval.ts";
import { bandWidth } from "./latency-band.ts";
import { logAgreement } from "./pairs.ts";
import { psiOfShares, psiThreshold } from "./prediction-drift.ts";
import { logRelative, RATE_RATIOS } from "./relative-rate.ts";
import { logSampleRatio } from "./sample-ratio.ts";
import type { Counts } from "./tally.ts";
import { TallyCounter } from "./tally-counter.ts";

type Errors = readonly (readonly [rho: number, candidate: 0 | 1, n?: number])[];

function evidence(errors: Errors, phi0 = 1): number {
  const counter = new TallyCounter();
  for (const [rho, candidate, n = 1] of errors) counter.add(rho, candidate === 1, true, n);
  return Math.exp(logRelative(counter.tally(), { phi0, ratios: RATE_RATIOS }));
}

/** The values were computed apart from this code, with SciPy's special functions. */
describe("evidence that the candidate is worse", () => {
  const drifting: Errors = [
    [0.05, 1],
    [0.05, 0, 3],
    [0.25, 1],
    [0.25, 1],
    [0.25, 0],
    [0.25, 1],
  ];
  it.each<[string, Errors, number, number]>([
    ["three candidate errors at 10 %", [[0.1, 1, 3]], 1, 111.844],
    ["eight at 50 %", [[0.5, 1, 8]], 1, 69.302],
    ["nine at 50 %", [[0.5, 1, 9]], 1, 125.741],
    ["five at 10 %, a fifth tolerated", [[0.1, 1, 5]], 1.2, 2967.598],
    ["errors of both at two weights", drifting, 1, 10.5251],
    [
      "seven and nine at 10 %",
      [
        [0.1, 1, 7],
        [0.1, 0, 9],
      ],
      1,
      144.5014,
    ],
  ])("is as computed by hand: %s", (_, errors, phi0, expected) => {
    expect(evidence(errors, phi0)).toBeCloseTo(expected, 3);
  });

  it("is nothing at weights 0 and 1, and without errors", () => {
    expect(evidence([[0, 0, 1000]])).toBe(1);
    expect(evidence([[1, 1, 1000]])).toBe(1);
    expect(evidence([])).toBe(1);
  });
});

describe("evidence about one rate", () => {
  it("is as computed by hand", () => {
    const below = (bad: number, requests: number) => Math.exp(logBelow({ requests, bad }, 0.01));
    expect(below(0, 299)).toBeCloseTo(11.416, 3);
    expect(below(2, 1000)).toBeCloseTo(51.612, 3);
  });

  it.each([
    [0, 363],
    [1, 687],
  ])("certifies less than 1 % with %i bad after %i requests, not before", (bad, requests) => {
    expect(logBelow({ requests, bad }, 0.01)).toBeGreaterThanOrEqual(Math.log(20));
    expect(logBelow({ requests: requests - 1, bad }, 0.01)).toBeLessThan(Math.log(20));
    expect(logAgreement({ requests, bad }, 0.01)).toBe(logBelow({ requests, bad }, 0.01));
  });

  it("of a breach is the mean of three likelihood ratios", () => {
    const ratio = (p: number) => (p / 0.01) ** 5 * ((1 - p) / 0.99) ** 95;
    const expected = (ratio(0.02) + ratio(0.04) + ratio(0.1)) / 3;
    expect(Math.exp(logAbove({ requests: 100, bad: 5 }, 0.01))).toBeCloseTo(expected, 9);
  });
});

describe("an interval that may be looked at always", () => {
  it.each<[Counts, number, number]>([
    [{ bad: 3, requests: 200 }, 0.000597, 0.070667],
    [{ bad: 0, requests: 1000 }, 0, 0.009856],
    [{ bad: 1000, requests: 1000 }, 1 - 0.0098556, 1],
    [{ bad: 0, requests: 0 }, 0, 1],
  ])("is as computed by hand: %o", (counts, low, high) => {
    const interval = rateInterval(counts, 0.05);
    expect(interval.low).toBeCloseTo(low, 6);
    expect(interval.high).toBeCloseTo(high, 6);
  });
});

describe("evidence that requests were not drawn by the weights", () => {
  it.each([
    [10, 0, 93.0909],
    [5, 5, 0.3694],
  ])("is as computed by hand: %i and %i", (candidate, stable, expected) => {
    const counter = new TallyCounter();
    counter.add(0.5, true, false, candidate);
    counter.add(0.5, false, false, stable);
    expect(Math.exp(logSampleRatio(counter.tally()))).toBeCloseTo(expected, 4);
  });
});

describe("second opinions", () => {
  it.each([
    [100, 0.2765],
    [1000, 0.0889],
    [5000, 0.0401],
  ])("have a band for latency after %i requests", (n, width) => {
    expect(bandWidth(n, 0.025)).toBeCloseTo(width, 4);
  });

  it("have an index of stability, and what chance makes of it", () => {
    expect(psiOfShares([0.25, 0.25, 0.25, 0.25], [0.2, 0.25, 0.25, 0.3])).toBeCloseTo(0.02027, 5);
    expect(psiThreshold(1000, 1000, 0)).toBeCloseTo(0.0338, 4);
    expect(psiThreshold(100, 1000)).toBeCloseTo(0.186, 3);
    expect(psiThreshold(1000, 1000)).toBe(0.1);
  });
});
