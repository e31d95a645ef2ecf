import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Evidence } from "../evidence/evidence.ts";
import { type Counts, EMPTY_TALLY, type Tally } from "../evidence/tally.ts";
import { TallyCounter } from "../evidence/tally-counter.ts";
import { requestsUntil } from "./forecast.ts";
import { checkJudgement, type Judgement, type PromotionGuard, rateGuard, shiftGuard } from "./guards.ts";
import { duration, evidence as evidenceText, grouped, percent, threshold } from "./numbers.ts";
import { judge } from "./verdict.ts";
import { weigh } from "./weigh.ts";

type At = readonly [rho: number, candidate: readonly [number, number], stable: readonly [number, number]];

/** Counts as people say them: bad of requests. */
function tally(...strata: readonly At[]): Tally {
  const counter = new TallyCounter();
  for (const [rho, candidate, stable] of strata) {
    for (const [own, [bad, of]] of [
      [true, candidate],
      [false, stable],
    ] as const) {
      counter.add(rho, own, true, bad);
      counter.add(rho, own, false, of - bad);
    }
  }
  return counter.tally();
}

const seen = (tallies: Record<string, Tally>, pairs: Record<string, Counts> = {}): Evidence => ({
  tallies,
  pairs,
});
const errors = (...strata: readonly At[]) => seen({ errors: tally(...strata) });
const below: PromotionGuard = { kind: "below", name: "errors", tally: "errors", max: 0.01 };
const promotion: PromotionGuard = { ...below, name: "few errors" };
const one: Judgement = {
  rollback: [rateGuard("errors")],
  promotion: [promotion],
  alpha: 0.01,
  alphaPromotion: 0.05,
};
const four: Judgement = {
  ...one,
  rollback: ["errors", "slow", "rejected", "high"].map((name) => rateGuard(name)),
};
const now = { rho: 0.1, requestsPerMinute: 600 };
const bad = errors([0.1, [7, 412], [9, 3708]]);

describe("a verdict", () => {
  it("rolls back with its arithmetic as a sentence", () => {
    const verdict = judge(bad, one, now);
    expect(verdict).toMatchObject({ decision: "rollback", guard: "errors", next: undefined });
    expect(verdict.reason).toBe(
      "errors: candidate 7 of 412, stable 9 of 3,708; evidence 144 ≥ 100: roll back",
    );
  });

  it("carries the same arithmetic as data", () => {
    const [reading] = judge(bad, one, now).readings;
    expect(reading).toMatchObject({
      guard: "errors",
      role: "rollback",
      threshold: 100,
      log10_threshold: 2,
      reached: true,
    });
    expect(reading!.e).toBeCloseTo(144.501, 3);
    expect(reading!.log10_e).toBeCloseTo(Math.log10(144.501), 5);
    expect(reading!.candidate).toMatchObject({ bad: 7, requests: 412, rate: 7 / 412 });
    expect(reading!.candidate!.low).toBeLessThan(7 / 412);
    expect(reading!.candidate!.high).toBeGreaterThan(7 / 412);
    expect(JSON.stringify(reading)).not.toContain("null");
  });

  it("splits alpha evenly over the rollback guards", () => {
    expect(judge(bad, four, now)).toMatchObject({ decision: "hold" });
    expect(judge(bad, four, now).readings[0]).toMatchObject({ threshold: 400, reached: false });
    expect(judge(bad, four, now).readings.at(-1)).toMatchObject({ role: "promotion", threshold: 20 });
  });

  it("holds without data, and promotes with what promotion needs and the least time", () => {
    expect(judge(seen({}), one, now)).toMatchObject({
      decision: "hold",
      reason: "no data: hold",
      next: undefined,
    });
    expect(judge(seen({}), { ...one, promotion: [] }, now).decision).toBe("hold");
    expect(judge(errors([0.1, [0, 0], [30, 3000]]), { ...one, promotion: [] }, now).decision).toBe("hold");
    const enough = errors([0.1, [0, 363], [0, 3000]]);
    expect(judge(enough, one, now)).toMatchObject({
      decision: "promote",
      reason: "few errors below 1 %: candidate 0 of 363, stable 0 of 3,000; evidence 20 ≥ 20: promote",
    });
    expect(judge(enough, one, now, { remaining: 30_000 })).toMatchObject({
      decision: "hold",
      reason: "promotion's guards have passed; the steps before 100 % take at least 30 seconds more: hold",
    });
    expect(judge(errors([0.1, [0, 362], [0, 3000]]), one, now).reason).toBe(
      "few errors below 1 %: candidate 0 of 362, stable 0 of 3,000; evidence 19 < 20: hold",
    );
    expect(judge(bad, one, now, { accepted: ["errors"] }).decision).toBe("hold");
  });

  it("prefers to roll back when promotion's guards have passed, too", () => {
    const both = seen({ errors: tally([0.1, [0, 500], [0, 4500]]), slow: tally([0.1, [9, 500], [0, 4500]]) });
    const judgement: Judgement = { ...one, rollback: [rateGuard("errors"), rateGuard("slow", "slow", 1.2)] };
    expect(judge(both, judgement, now)).toMatchObject({ decision: "rollback", guard: "slow" });
    expect(judge(both, judgement, now).reason).toMatch(
      /^slow over 1.2 times: candidate 9 of 500, stable 0 of 4,500; /,
    );
  });

  it("does not let equal failures of both colors roll back, however many there are", () => {
    expect(judge(errors([0.1, [500, 1000], [4500, 9000]]), four, now).decision).toBe("hold");
  });

  it("stays JSON when evidence is beyond all numbers", () => {
    const huge = judge(errors([0.0001, [1e9, 1e9], [0, 1e9]]), one, now).readings[0]!;
    expect(huge.e).toBe(Number.MAX_VALUE);
    expect(huge.log10_e).toBeGreaterThan(1e9);
    const none = judge(errors([0.1, [4000, 4000], [0, 0]]), one, now).readings.at(-1)!;
    expect(none).toMatchObject({ reached: false, e: 0 });
    expect(JSON.parse(JSON.stringify(none)).log10_e).toBeLessThan(-50);
  });
});

describe("an absolute objective", () => {
  const objective = { kind: "absolute", name: "objective", tally: "errors", max: 0.01 } as const;
  const judgement: Judgement = { ...one, rollback: [objective], promotion: [] };

  it("rolls back the candidate that alone is above it", () => {
    const verdict = judge(errors([0.5, [30, 500], [1, 500]]), judgement, now);
    expect(verdict).toMatchObject({ decision: "rollback", guard: "objective" });
    expect(verdict.reason).toMatch(
      /^objective at most 1 %: candidate 30 of 500, stable 1 of 500; evidence 10\^\d/,
    );
  });

  it("pauses when both are above it", () => {
    const verdict = judge(errors([0.5, [30, 500], [25, 500]]), judgement, now);
    expect(verdict.decision).toBe("pause");
    expect(verdict.reason).toMatch(/, and the stable color is above it, too: pause$/);
  });

  it("that only pauses does not hide a guard that rolls back, in whatever order they are", () => {
    const guards = [objective, rateGuard("slow")];
    const evidence = seen({
      errors: tally([0.5, [30, 500], [25, 500]]),
      slow: tally([0.5, [450, 500], [0, 500]]),
    });
    for (const rollback of [guards, guards.toReversed()]) {
      const verdict = judge(evidence, { ...judgement, rollback }, now);
      expect(verdict).toMatchObject({ decision: "rollback", guard: "slow" });
      const accepted = { accepted: ["slow"] };
      expect(judge(evidence, { ...judgement, rollback }, now, accepted)).toMatchObject({ decision: "pause" });
    }
  });

  it("is judged anew at 100 %, where a fault need not first use up good hours", () => {
    const good: At = [0.5, [0, 50_000], [0, 50_000]];
    expect(judge(errors(good, [1, [30, 500], [0, 0]]), judgement, { rho: 1 }).decision).toBe("rollback");
    expect(judge(errors([0.5, [30, 50_500], [0, 50_000]]), judgement, { rho: 0.5 }).decision).toBe("promote");
  });
});

describe("the check of the draws", () => {
  const judgement: Judgement = { ...one, assigned: "assigned" };
  const assigned = (candidate: number) =>
    seen({
      errors: tally([0.1, [0, 10], [0, 90]]),
      assigned: tally([0.1, [0, candidate], [0, 10_000 - candidate]]),
    });

  it("pauses when requests are not drawn by the weights, and takes nothing of alpha", () => {
    expect(judge(assigned(1020), judgement, now).decision).toBe("hold");
    const verdict = judge(assigned(1300), judgement, now);
    expect(verdict).toMatchObject({ decision: "pause", guard: "sample ratio" });
    expect(verdict.reason).toMatch(
      /^sample ratio: candidate was assigned 1,300, stable 8,700; evidence .* pause$/,
    );
    expect(verdict.readings[0]!.threshold).toBe(100);
  });
});

describe("pairs", () => {
  const judgement: Judgement = {
    ...one,
    rollback: [{ kind: "inferior", name: "truth", pairs: "truth", odds: 1 }],
    promotion: [
      { kind: "not_inferior", name: "as good", pairs: "truth", odds: 0.45 / 0.55 },
      { kind: "agreement", name: "disagreement", pairs: "agreement", max: 0.01 },
    ],
  };
  const pairs = (lost: number, of: number, disagree: number) =>
    seen({}, { truth: { requests: of, bad: lost }, agreement: { requests: 363, bad: disagree } });

  it("promote the one that is as good and agrees", () => {
    expect(judge(pairs(450, 1000, 0), judgement, now)).toMatchObject({ decision: "promote" });
    expect(judge(pairs(450, 1000, 3), judgement, now).reason).toMatch(
      /^disagreement below 1 %: 3 of 363 pairs; /,
    );
    expect(judge(pairs(45, 100, 0), judgement, now).decision).toBe("hold");
  });

  it("roll back the one whose errors are larger", () => {
    expect(judge(pairs(600, 1000, 0), judgement, now)).toMatchObject({
      decision: "rollback",
      guard: "truth",
    });
    expect(judge(pairs(600, 1000, 0), judgement, now).reason).toMatch(/^truth: lost 600 of 1,000 pairs; /);
    expect(judge(pairs(540, 1000, 0), judgement, now).decision).toBe("hold");
  });
});

describe("a forecast", () => {
  it("says about how many requests and minutes are missing, and is right if things stay as they are", () => {
    const before = errors([0.1, [3, 200], [2, 1800]]);
    const { next, outlook } = judge(before, four, now);
    expect(next).toMatchObject({ decision: "rollback", unit: "requests" });
    expect(next!.minutes).toBeCloseTo(next!.requests / 600, 9);
    expect(outlook).toMatch(
      /^about [\d,]+ more requests \(\d+ \w+\) until it is rolled back, if things stay as they are$/,
    );
    const factor = 1 + next!.requests / 2000;
    const after = (by: number) =>
      judge(errors([0.1, [3 * by, 200 * by], [2 * by, 1800 * by]].map(roundAll) as unknown as At), four, now);
    expect(after(factor * 1.15).decision).toBe("rollback");
    expect(after(factor * 0.85).decision).toBe("hold");
  });

  it("names promotion when that comes first", () => {
    const { next, outlook } = judge(errors([0.1, [0, 200], [0, 1800]]), one, now);
    expect(next).toMatchObject({ decision: "promote", requests: 1628 });
    expect(outlook).toBe(
      "about 1,600 more requests (3 minutes) until promotion's guards pass, if things stay as they are",
    );
  });

  it("says that only the steps are left once promotion's guards have passed", () => {
    const verdict = judge(errors([0.1, [0, 2000], [0, 18_000]]), one, now, { remaining: 60_000 });
    expect(verdict).toMatchObject({ decision: "hold", next: undefined });
    expect(verdict.outlook).toBe("promotion's guards have passed; what is left is its steps' time");
  });

  it("says honestly that no verdict is in sight", () => {
    for (const evidence of [seen({}), errors([0.1, [10, 1000], [90, 9000]])]) {
      const verdict = judge(evidence, one, now);
      expect(verdict.next).toBeUndefined();
      expect(verdict.outlook).toBe("no verdict in sight, if things stay as they are");
    }
    const fine = { ...one, promotion: [] };
    expect(judge(errors([0.1, [1, 200], [90, 9000]]), fine, now, { remaining: 1 }).next).toBeUndefined();
    expect(judge(bad, four, { rho: 1 }).next).toBeUndefined();
  });

  it("is never a number that the evidence would not reach", () => {
    const count = fc.nat(300);
    fc.assert(
      fc.property(count, count, fc.constantFrom(0.05, 0.5), (a, b, rho) => {
        const evidence = errors([rho, [a, 1000], [b, 1000]]);
        const weighed = weigh(four.rollback[0]!, evidence, rho);
        const n = requestsUntil(weighed, Math.log(400));
        if (n === undefined || n === 0) return;
        const at = (m: number) => Math.max(...weighed.parts.map((part, k) => part + m * weighed.growth![k]!));
        expect(at(n)).toBeGreaterThanOrEqual(Math.log(400) - 1e-9);
        expect(at(n - 1)).toBeLessThan(Math.log(400) + Math.log(6));
      }),
    );
  });
});

function roundAll(value: unknown): unknown {
  return Array.isArray(value) ? value.map((n) => Math.round(n as number)) : value;
}

describe("a judgement", () => {
  it.each<[string, Partial<Judgement>, string]>([
    ["alpha of 0", { alpha: 0 }, "alpha is 0; expected a number below 1"],
    ["alpha of NaN", { alpha: Number.NaN }, "alpha is NaN"],
    ["promotion's alpha of 1", { alphaPromotion: 1 }, "The promotion's alpha is 1"],
    ["two of one name", { promotion: [below] }, 'There are two guards "errors"'],
    ["a limit of 1", { promotion: [{ ...promotion, max: 1 }] }, "The limit of few errors is 1"],
    ["phi0 of 0", { rollback: [rateGuard("slow", "slow", 0)] }, "phi0 of slow is 0"],
    [
      "no ratios",
      { rollback: [{ kind: "relative", name: "x", tally: "x", phi0: 1, ratios: [] }] },
      "x has no ratios",
    ],
    [
      "a ratio of 1",
      { rollback: [{ kind: "relative", name: "x", tally: "x", phi0: 1, ratios: [1] }] },
      "A ratio of x is 1",
    ],
  ])("is refused with %s", (_, change, message) => {
    expect(() => checkJudgement({ ...one, ...change })).toThrow(message);
  });

  it("is accepted with all kinds of guards", () => {
    expect(
      checkJudgement({ ...four, rollback: [...four.rollback, shiftGuard("low")] }).rollback,
    ).toHaveLength(5);
  });
});

describe("numbers in sentences", () => {
  it("are rounded so that what is not reached does not look reached", () => {
    expect([99.99, 100, 19.999, 20, 7.389, 0.001].map((e) => evidenceText(Math.log10(e)))).toEqual([
      "99",
      "100",
      "19",
      "20",
      "7.38",
      "under 0.01",
    ]);
    expect([
      evidenceText(12.47),
      evidenceText(Number.NEGATIVE_INFINITY),
      evidenceText(Math.log10(123456)),
    ]).toEqual(["10^12.4", "0", "123,456"]);
    expect([threshold(400), threshold(100 / 3), threshold(20), threshold(1e7)]).toEqual([
      "400",
      "33.4",
      "20",
      "10,000,000",
    ]);
    expect([grouped(999), grouped(3708), percent(0.0125), percent(0.01)]).toEqual([
      "999",
      "3,708",
      "1.25 %",
      "1 %",
    ]);
    expect([0.001, 0.5, 1, 90, 300, 5000].map(duration)).toEqual([
      "1 second",
      "30 seconds",
      "1 minute",
      "90 minutes",
      "5 hours",
      "3 days",
    ]);
  });
});

it("computes the same from nothing as from an empty tally", () => {
  expect(judge(seen({ errors: EMPTY_TALLY }), one, now)).toEqual(judge(seen({}), one, now));
});
