import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logAbove, logBelow } from "./absolute-rate.ts";
import { addEvidence, evidenceOf, MAX_PAIRS, mergeEvidence, type PairRecord } from "./evidence.ts";
import { FirstBad } from "./first-bad.ts";
import { rateInterval } from "./interval.ts";
import { readLine, toLines } from "./lines.ts";
import { logBinomial } from "./log-math.ts";
import { logInferior, logNotInferior } from "./pairs.ts";
import { logRelative, presentRates, RATE_RATIOS, relativeRisk } from "./relative-rate.ts";
import { logSampleRatio } from "./sample-ratio.ts";
import {
  checkTally,
  countsOf,
  EMPTY_TALLY,
  MAX_STRATA,
  mergeTallies,
  type Tally,
  tallyGrowth,
} from "./tally.ts";
import { TallyCounter } from "./tally-counter.ts";

const NO_WORSE = { phi0: 1, ratios: RATE_RATIOS };
const record = fc.record({
  rho: fc.constantFrom(0, 0.0001, 0.05, 0.25, 0.5, 0.999, 1),
  candidate: fc.boolean(),
  bad: fc.boolean(),
  n: fc.nat(1_000_000),
});
type Record = { rho: number; candidate: boolean; bad: boolean; n: number };

function count(records: readonly Record[]): Tally {
  const counter = new TallyCounter();
  for (const { rho, candidate, bad, n } of records) counter.add(rho, candidate, bad, n);
  return counter.tally();
}

/** The definition, one request after the other. */
function byDefinition(records: readonly { rho: number; candidate: boolean }[]): number {
  const logs = RATE_RATIOS.map(() => 0);
  for (const { rho, candidate } of records) {
    RATE_RATIOS.forEach((phi, k) => {
      const theta = (rho * phi) / (rho * phi + 1 - rho);
      logs[k]! += candidate ? Math.log(theta / rho) : Math.log((1 - theta) / (1 - rho));
    });
  }
  return Math.log(logs.reduce((sum, log) => sum + Math.exp(log) / logs.length, 0));
}

describe("tallies", () => {
  it("add to the very same, however they are split and in whatever order they are merged", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), fc.array(fc.nat(3)), (records, shards) => {
        const parts = [0, 1, 2, 3].map((shard) =>
          count(records.filter((_, i) => (shards[i % Math.max(1, shards.length)] ?? 0) === shard)),
        );
        const [a, b, c, d] = parts as [Tally, Tally, Tally, Tally];
        const whole = count(records);
        expect(mergeTallies([d, mergeTallies([c, a]), b])).toEqual(mergeTallies(parts));
        expect(logRelative(mergeTallies(parts), NO_WORSE)).toBe(logRelative(whole, NO_WORSE));
        expect(checkTally(JSON.parse(JSON.stringify(whole)))).toEqual(whole);
      }),
    );
  });

  it("give the evidence that the definition gives, request by request", () => {
    const one = fc.record({ rho: fc.constantFrom(0.0001, 0.05, 0.25, 0.5), candidate: fc.boolean() });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 40 }), (errors) => {
        const tally = count(errors.map((error) => ({ ...error, bad: true, n: 1 })));
        expect(logRelative(tally, NO_WORSE)).toBeCloseTo(byDefinition(errors), 9);
      }),
    );
  });

  it("know what came since an earlier report, and that a worker began anew", () => {
    fc.assert(
      fc.property(fc.array(record), fc.array(record), (first, second) => {
        const [before, now] = [count(first), count([...first, ...second])];
        expect(mergeTallies([before, tallyGrowth(before, now)])).toEqual(now);
      }),
    );
    const [many, few] = [10, 3].map((n) => count([{ rho: 0.5, candidate: true, bad: false, n }])) as [
      Tally,
      Tally,
    ];
    expect(tallyGrowth(many, few)).toEqual(few);
    expect(tallyGrowth(many, EMPTY_TALLY)).toEqual(EMPTY_TALLY);
  });

  it("take 5 of 100 and 1 of 20 for the same weight", () => {
    const counter = new TallyCounter();
    for (const rho of [5 / 100, 1 / 20, 0.1 * 0.5, 0.05 + 1e-17]) counter.add(rho, true, true);
    expect(counter.tally().strata).toHaveLength(1);
  });

  it("are bounded, and say what they left out", () => {
    const counter = new TallyCounter();
    for (let i = 1; i <= MAX_STRATA + 10; i++) counter.add(i / 1000, true, true);
    expect(counter.tally().strata).toHaveLength(MAX_STRATA);
    expect(counter.tally().leftOut).toBe(10);
    const other = new TallyCounter();
    for (let i = 1; i <= MAX_STRATA; i++) other.add(i / 1000 + 0.5, true, true);
    const both = mergeTallies([counter.tally(), other.tally()]);
    expect(both.strata).toHaveLength(MAX_STRATA);
    expect(both.leftOut + countsOf(both, "candidate").requests).toBe(2 * MAX_STRATA + 10);
  });

  it.each([Number.NaN, -0.1, 1.1, Number.POSITIVE_INFINITY])("refuse the weight %d", (rho) => {
    const counter = new TallyCounter();
    expect(() => counter.add(rho, true, true)).toThrow(/expected a number from 0 to 1/);
    expect(counter.tally()).toEqual(EMPTY_TALLY);
  });

  it.each([Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY])("refuse the number %d", (n) => {
    expect(() => new TallyCounter().add(0.5, true, true, n)).toThrow(/expected a whole number/);
  });

  it("that came from elsewhere are refused with more bad requests than requests", () => {
    const stratum = { rho: 0.5, candidate: { requests: 1, bad: 2 }, stable: { requests: 0, bad: 0 } };
    expect(() => checkTally({ strata: [stratum], leftOut: 0 })).toThrow("2 of 1 requests are bad");
  });
});

describe("evidence", () => {
  it("stays a number at a thousand million errors and a weight of .01 %", () => {
    const tally = count([
      { rho: 0.0001, candidate: true, bad: true, n: 1e9 },
      { rho: 0.0001, candidate: false, bad: true, n: 1e9 },
    ]);
    const log = logRelative(tally, NO_WORSE);
    expect(log).toBeGreaterThan(1e9);
    expect(Number.isFinite(log)).toBe(true);
    const innocent = count([
      { rho: 0.0001, candidate: true, bad: true, n: 1e5 },
      { rho: 0.0001, candidate: false, bad: true, n: 1e9 - 1e5 },
    ]);
    expect(logRelative(innocent, NO_WORSE)).toBeLessThan(-1000);
    expect(logBelow({ requests: 1e9, bad: 0 }, 0.01)).toBeGreaterThan(1e7);
    expect(logAbove({ requests: 1e9, bad: 1e9 }, 0.01)).toBeGreaterThan(1e9);
    expect(logBelow({ requests: 10, bad: 10 }, 0.01)).toBeLessThan(-5);
  });

  it("is computed to nine digits where counts are a thousand million", () => {
    // by mpmath with 40 digits
    expect(logBinomial(500_000_000, 1_000_000_000, 0.5)).toBeCloseTo(-10.587424271367933, 9);
    expect(logBinomial(1_000, 1_000_000_000, 1e-6)).toBeCloseTo(-4.372899006026047, 9);
    const { low, high } = rateInterval({ requests: 1e9, bad: 1e6 }, 0.05);
    expect(low).toBeGreaterThan(0.00099);
    expect(high).toBeLessThan(0.00101);
  });

  it("has the mean 1 when nobody is worse: summed over all that can happen", () => {
    for (const [rho, errors] of [
      [0.05, 4],
      [0.3, 9],
      [0.5, 12],
    ] as const) {
      let mean = 0;
      for (let x = 0; x <= errors; x++) {
        const tally = count([
          { rho, candidate: true, bad: true, n: x },
          { rho, candidate: false, bad: true, n: errors - x },
        ]);
        mean += Math.exp(logBinomial(x, errors, rho) + logRelative(tally, NO_WORSE));
      }
      expect(mean).toBeCloseTo(1, 9);
    }
  });

  it("about a tolerated risk, a rate, a draw and a pair has the mean 1 at the edge of its null, too", () => {
    const n = 30;
    const mean = (p: number, log: (k: number) => number) =>
      Array.from({ length: n + 1 }, (_, k) => Math.exp(logBinomial(k, n, p) + log(k))).reduce(
        (a, b) => a + b,
      );
    const tally = (k: number, bad: boolean) =>
      count([
        { rho: 0.2, candidate: true, bad, n: k },
        { rho: 0.2, candidate: false, bad, n: n - k },
      ]);
    const theta = (0.2 * 1.2) / (0.2 * 1.2 + 0.8);
    expect(mean(theta, (k) => logRelative(tally(k, true), { phi0: 1.2, ratios: RATE_RATIOS }))).toBeCloseTo(
      1,
      9,
    );
    expect(mean(0.1, (bad) => logBelow({ requests: n, bad }, 0.1))).toBeCloseTo(1, 9);
    expect(mean(0.05, (bad) => logAbove({ requests: n, bad }, 0.05))).toBeCloseTo(1, 9);
    expect(mean(0.2, (k) => logSampleRatio(tally(k, false)))).toBeCloseTo(1, 9);
    expect(mean(0.55, (bad) => logNotInferior({ requests: n, bad }))).toBeCloseTo(1, 9);
    expect(mean(0.5, (bad) => logInferior({ requests: n, bad }))).toBeCloseTo(1, 9);
  });

  it("estimates how much worse the candidate is, though the base rate changed with the weight", () => {
    const tally = count([
      { rho: 0.1, candidate: true, bad: true, n: 30 },
      { rho: 0.1, candidate: true, bad: false, n: 970 },
      { rho: 0.1, candidate: false, bad: true, n: 90 },
      { rho: 0.1, candidate: false, bad: false, n: 8910 },
      { rho: 0.5, candidate: true, bad: true, n: 600 },
      { rho: 0.5, candidate: true, bad: false, n: 4400 },
      { rho: 0.5, candidate: false, bad: true, n: 200 },
      { rho: 0.5, candidate: false, bad: false, n: 4800 },
    ]);
    expect(relativeRisk(tally)).toBeCloseTo(3, 9);
    const rates = presentRates(tally)!;
    expect(rates.candidate / rates.stable).toBeCloseTo(3, 9);
    expect(relativeRisk(EMPTY_TALLY)).toBeUndefined();
    expect(presentRates(EMPTY_TALLY)).toBeUndefined();
  });
});

describe("users with affinity", () => {
  it("are counted once, and none when there are too many", () => {
    const users = new FirstBad(2);
    expect([users.isFirst(1), users.isFirst(1), users.isFirst(2), users.isFirst(3)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(users.full).toBe(true);
    const again = new FirstBad(3, JSON.parse(JSON.stringify(users)));
    expect([again.isFirst(2), again.isFirst(3)]).toEqual([false, true]);
    expect(() => users.isFirst(Number.NaN)).toThrow(/whole number/);
  });
});

describe("evidence of a pair of versions", () => {
  const errors = (n: number) => ({
    tallies: { errors: count([{ rho: 0.1, candidate: true, bad: true, n }]) },
    pairs: { truth: { requests: n, bad: 1 } },
  });

  it("goes on where it was, and is not another pair's", () => {
    let book: readonly PairRecord[] = [];
    book = addEvidence(book, "b", "a", errors(2));
    book = addEvidence(book, "c", "a", errors(5));
    book = addEvidence(book, "b", "a", errors(1));
    expect(evidenceOf(book, "b", "a")).toEqual(
      mergeEvidence([errors(3), { tallies: {}, pairs: { truth: { requests: 0, bad: 1 } } }]),
    );
    expect(evidenceOf(book, "a", "b")).toEqual({ tallies: {}, pairs: {} });
  });

  it("is kept for a bounded number of pairs, the newest", () => {
    let book: readonly PairRecord[] = [];
    for (let i = 0; i < MAX_PAIRS + 5; i++) book = addEvidence(book, `c${i}`, "a", errors(1));
    expect(book).toHaveLength(MAX_PAIRS);
    expect(book.at(-1)!.candidate).toBe(`c${MAX_PAIRS + 4}`);
  });
});

describe("recorded lines", () => {
  it("give the same tally again", () => {
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const tally = count(records.filter(({ n }) => n > 0));
        const counter = new TallyCounter();
        for (const line of toLines("errors", tally).map((one) => readLine(JSON.parse(JSON.stringify(one))))) {
          counter.add(line.rho, line.candidate, line.bad, line.n);
        }
        expect(counter.tally()).toEqual(tally);
      }),
    );
  });

  it.each<[unknown, string]>([
    [[], "not an object"],
    [null, "not an object"],
    [{ rho: 0.5, candidate: true, bad: true }, '"guard" is missing'],
    [{ rho: 2, candidate: true, bad: true, guard: "errors" }, '"rho" is 2; expected a number from 0 to 1'],
    [{ rho: "x", candidate: true, bad: true, guard: "errors" }, '"rho" is "x"'],
    [{ rho: 0.5, candidate: 1, bad: true, guard: "errors" }, '"candidate" is 1; expected true or false'],
    [{ rho: 0.5, candidate: true, guard: "errors" }, '"bad" is missing'],
    [{ rho: 0.5, candidate: true, bad: true, guard: "errors", n: -1 }, '"n" is -1'],
  ])("are refused with a sentence: %j", (line, message) => {
    expect(() => readLine(line)).toThrow(message);
  });
});
