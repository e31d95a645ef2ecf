import { describe, expect, it } from "vitest";
import { compareLatency } from "./latency-band.ts";
import { bucketOf, compareDrift, freezeReference, psiThreshold } from "./prediction-drift.ts";

/** 1 to 1000, each once: deciles are known. */
const reference = freezeReference(Array.from({ length: 1000 }, (_, i) => i + 1));

function counts(predictions: readonly number[]): number[] {
  const buckets = Array.from({ length: 10 }, () => 0);
  for (const prediction of predictions) buckets[bucketOf(reference, prediction)]! += 1;
  return buckets;
}
const spread = (factor: number) => counts(Array.from({ length: 1000 }, (_, i) => (i + 1) * factor));

describe("drift of predictions", () => {
  it("counts by the deciles that the stable color had, with what is outside at the ends", () => {
    expect(spread(1)).toEqual(Array.from({ length: 10 }, () => 100));
    expect([bucketOf(reference, -5), bucketOf(reference, 1e9)]).toEqual([0, 9]);
    expect([reference.q25, reference.q75]).toEqual([250.75, 750.25]);
  });

  it("is none between equals, and seen when predictions are a third higher", () => {
    expect(compareDrift(reference, spread(1), spread(1))).toMatchObject({
      psi: 0,
      distance: 0,
      drifted: false,
    });
    const reading = compareDrift(reference, spread(1), spread(1.33));
    expect(reading.psi).toBeGreaterThan(0.1);
    expect(reading.drifted).toBe(true);
  });

  it("is as far as predictions moved, in deviations, while they stay within what the stable color had", () => {
    const middle = counts(Array.from({ length: 600 }, (_, i) => 200.5 + i));
    const moved = counts(Array.from({ length: 600 }, (_, i) => 300.5 + i));
    expect(compareDrift(reference, middle, moved).distance).toBeCloseTo(100 / 288.67, 2);
  });

  it("is not claimed from a handful, or from nothing", () => {
    const handful = [3, 0, 1, 0, 0, 1, 2, 0, 1, 2];
    const reading = compareDrift(reference, spread(1), handful);
    expect(reading.psi).toBeGreaterThan(0.1);
    expect(reading.psiLimit).toBeCloseTo(psiThreshold(1000, 10), 9);
    expect(reading.drifted).toBe(false);
    expect(
      compareDrift(
        reference,
        spread(1),
        spread(1).map(() => 0),
      ).drifted,
    ).toBe(false);
  });

  it("needs a sample of ten, all numbers, and ten buckets", () => {
    expect(() => freezeReference([1, 2, 3])).toThrow("expected at least 10");
    expect(() => freezeReference([...Array.from({ length: 10 }, () => 1), Number.NaN])).toThrow("all finite");
    expect(() => compareDrift(reference, [1], [1])).toThrow("expected ten each");
    const same = freezeReference(Array.from({ length: 10 }, () => 7));
    expect(compareDrift(same, spread(1), spread(1)).distance).toBeUndefined();
  });
});

describe("latency over the whole distribution", () => {
  it("is slower when the candidate is behind by more than both bands", () => {
    const reading = compareLatency([0, 5000, 0, 0], [0, 1000, 4000, 0], 0.05);
    expect(reading).toMatchObject({ distance: 0.8, bucket: 1, slower: true });
    expect(reading.band).toBeCloseTo(2 * 0.0401, 3);
  });

  it("is not slower when it is faster, when it is little behind, or without data", () => {
    expect(compareLatency([0, 1000, 4000], [0, 5000, 0], 0.05).slower).toBe(false);
    expect(compareLatency([0, 500, 500], [0, 450, 550], 0.05).slower).toBe(false);
    expect(compareLatency([0, 5000], [0, 0], 0.05)).toMatchObject({ distance: 0, slower: false });
    expect(() => compareLatency([1], [1, 2], 0.05)).toThrow("expected as many");
  });
});
