import { describe, expect, it } from "vitest";
import { parsePointer } from "../predictions/pointer.ts";
import { certify } from "./certificate.ts";
import { compare } from "./compare.ts";
import { mergePairReports, NO_PAIRS, PairBook, summarize, type WorstPair } from "./pairs.ts";
import { bucketIn, MAX_BUCKETS } from "./slices.ts";

const BY = { atol: 0.5, rtol: 0.02 };

describe("two answers", () => {
  it.each<[number[], number[], boolean, number | undefined]>([
    [[10], [10.7], true, 0.7],
    [[10], [10.71], false, 0.71],
    [[10], [9.3], true, -0.7],
    [[-10], [-10.7], true, -0.7],
    [[0], [0.5], true, 0.5],
    [[10, 20], [10.1, 23], false, 3],
    [[10, 20], [10.1, 20], true, 0.1],
    [[10, 20], [10], false, undefined],
    [[10], [], false, undefined],
  ])("%j and %j: agree %s, by %s", (main, shadow, agrees, difference) => {
    const found = compare(main, shadow, BY);
    expect(found.agrees).toBe(agrees);
    if (difference === undefined) expect(found.difference).toBeUndefined();
    else expect(found.difference).toBeCloseTo(difference, 9);
  });
});

describe("slices", () => {
  const slice = (buckets: number[]) => ({ field: parsePointer("/data/0/passenger_count"), buckets });
  const of = (value: unknown) => ({ data: [{ passenger_count: value }] });

  it("put a request into the bucket of its value", () => {
    expect([0, 2, 2.5, 9].map((value) => bucketIn(of(value), slice([2, 6])))).toEqual([
      "≤ 2",
      "≤ 2",
      "≤ 6",
      "> 6",
    ]);
    expect(bucketIn(of("JFK"), slice([]))).toBe("JFK");
    expect(bucketIn(of("x".repeat(100)), slice([]))).toHaveLength(40);
    for (const bad of [undefined, {}, of(null), of({}), of("2")]) {
      expect(bucketIn(bad, slice([2]))).toBe("none");
    }
  });
});

describe("pairs", () => {
  const describePair = (request_id: string, difference: number | null): WorstPair => ({
    request_id,
    at: 0,
    path: "/",
    main: 10,
    shadow: difference === null ? null : 10 + difference,
    difference,
    outcome: "answered",
    slices: {},
  });
  const filled = (differences: readonly (number | undefined)[], keep = 3) => {
    const book = new PairBook(keep);
    for (const [i, difference] of differences.entries()) {
      const agrees = difference !== undefined && Math.abs(difference) <= 0.7;
      const comparison = { agrees, difference, main: 10, shadow: difference && 10 + difference };
      const slices = { "/zone": i % 2 === 0 ? "even" : "odd" };
      book.add(comparison, slices, () => describePair(`r${i}`, difference ?? null));
    }
    return book.report();
  };

  it("give mean, p95 and largest difference, agreement, slices and the worst", () => {
    const { all, slices, worst } = filled([0.1, -0.3, 2, undefined, 0, -4]);
    expect(summarize(all)).toEqual({
      pairs: 6,
      agree: 3,
      disagree: 3,
      broken: 1,
      agreement: 0.5,
      mean: expect.closeTo(-2.2 / 5, 9),
      p95: expect.closeTo(2, 1),
      largest: 4,
    });
    expect(summarize(slices["/zone"]!.even!)).toMatchObject({ pairs: 3, disagree: 1, largest: 2 });
    expect(summarize(slices["/zone"]!.odd!)).toMatchObject({ pairs: 3, disagree: 2, broken: 1 });
    expect(worst.map(({ request_id }) => request_id)).toEqual(["r3", "r5", "r2"]);
    expect(summarize(NO_PAIRS)).toMatchObject({ agreement: null, mean: null, p95: null, largest: null });
  });

  it("of workers add to what one would have seen", () => {
    const differences = Array.from({ length: 40 }, (_, i) => (i % 9 === 0 ? undefined : Math.sin(i) * i));
    const merged = mergePairReports([filled(differences.slice(0, 20)), filled(differences.slice(20))], 3);
    const whole = filled(differences);
    expect(summarize(merged.all)).toEqual({
      ...summarize(whole.all),
      mean: expect.closeTo(summarize(whole.all).mean!, 9),
    });
    expect(merged.worst).toHaveLength(3);
    expect(merged.slices["/zone"]?.even?.pairs).toBe(20);
  });

  it("stay bounded: buckets beyond the last are one", () => {
    const book = new PairBook(0);
    for (let i = 0; i < 1000; i++) {
      const comparison = { agrees: true, difference: 0, main: 1, shadow: 1 };
      book.add(comparison, { "/user": `u${i}` }, () => describePair("", 0));
    }
    const { slices, worst } = book.report();
    expect(Object.keys(slices["/user"]!)).toHaveLength(MAX_BUCKETS + 1);
    expect(slices["/user"]!.other!.pairs).toBe(1000 - MAX_BUCKETS);
    expect(worst).toEqual([]);
  });

  it("have a bucket for every value that a client may send, whatever JavaScript means by it", () => {
    const run = () => {
      const book = new PairBook(0);
      for (const zone of ["__proto__", "constructor", "toString"]) {
        book.add({ agrees: false, difference: 2, main: 1, shadow: 3 }, { "/zone": zone }, () =>
          describePair("", 2),
        );
      }
      return structuredClone(book.report()); // as a worker sends it
    };
    const { slices } = mergePairReports([run(), run()], 3);
    const again: typeof slices = JSON.parse(JSON.stringify(slices)); // as the file keeps it
    const merged = mergePairReports([{ all: NO_PAIRS, slices: again, worst: [] }, run()], 3);
    expect(
      Object.entries(merged.slices["/zone"]!).map(([zone, sums]) => [zone, sums.pairs, sums.sum]),
    ).toEqual([
      ["__proto__", 3, 6],
      ["constructor", 3, 6],
      ["toString", 3, 6],
    ]);
  });

  it("stay bounded when they are added: what many workers and starts saw has no more buckets than one", () => {
    const worker = (from: number) => {
      const book = new PairBook(0);
      for (let i = from; i < from + 20; i++) {
        book.add({ agrees: true, difference: 0, main: 1, shadow: 1 }, { "/user": `u${i}` }, () =>
          describePair("", 0),
        );
      }
      return book.report();
    };
    const { slices } = mergePairReports([worker(0), worker(20), worker(40)], 0);
    expect(Object.keys(slices["/user"]!)).toHaveLength(MAX_BUCKETS + 1);
    expect(slices["/user"]!.other!.pairs).toBe(60 - MAX_BUCKETS);
  });

  it("certify at 363 of 363, and at 687 with one that disagrees, not before", () => {
    const sums = (pairs: number, disagree: number) => ({ ...NO_PAIRS, pairs, disagree });
    expect(certify(sums(362, 0))).toMatchObject({ passed: false, missing: 1, threshold: 20 });
    expect(certify(sums(363, 0))).toMatchObject({
      passed: true,
      missing: 0,
      sentence: "0 of 363 pairs disagree: fewer than 1 % disagree, at 95 %",
    });
    expect(certify(sums(0, 0)).missing).toBe(363);
    expect(certify(sums(686, 1)).passed).toBe(false);
    expect(certify(sums(687, 1)).passed).toBe(true);
    expect(certify(sums(1000, 600)).passed).toBe(false);
    expect(certify(sums(1000, 600)).sentence).toMatch(/^600 of 1000 pairs disagree; \d+ more that agree/);
  });
});
