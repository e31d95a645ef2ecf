import { describe, expect, it } from "vitest";
import { showRollout } from "../../cli/rollout/show.ts";
import { freezeReference } from "../../core/evidence/prediction-drift.ts";
import { makePlan } from "../../core/rollout/plan.ts";
import { startRollout } from "../../core/rollout/start.ts";
import { rateGuard } from "../../core/verdict/guards.ts";
import { judge } from "../../core/verdict/verdict.ts";
import { NOTHING_OWN } from "./ledger.ts";
import { recordOf } from "./record.ts";

const judgement = { rollback: [rateGuard("errors")], promotion: [], alpha: 0.01, alphaPromotion: 0.05 };
const identity = (color: string, version: string) => ({ color, version, digest: `sha256:${version}` });
const state = startRollout({
  id: "20261122T040000Z-1f3a",
  plan: makePlan({ judgement }),
  candidate: identity("green", "1.0.1"),
  stable: identity("blue", "1.0.0"),
  at: 0,
  by: "ann",
  reason: "a better model",
});

it("compares predictions only where both colors had some: at 100 % one has none", () => {
  const ten = (n: number) => Array.from({ length: 10 }, () => n);
  const predictions = [
    { rho: 0.5, candidate: ten(20), stable: ten(20) },
    { rho: 1, candidate: ten(20), stable: ten(0) },
  ];
  const record = recordOf({
    entry: {
      ...{ state, expect: "same", checks: [], results: [], tallies: [], warmUp: 0 },
      ...{ servingSince: null, endedAt: null },
      reference: freezeReference(Array.from({ length: 100 }, (_, i) => i)),
    },
    verdict: judge(NOTHING_OWN.evidence, judgement, { rho: 1 }),
    evidence: NOTHING_OWN.evidence,
    own: { ...NOTHING_OWN, histograms: { predictions } },
    requests: 0,
    closed: false,
  });
  expect(record.steps.map((step) => step.predictions)).toEqual([
    expect.objectContaining({ psi: 0, drifted: false }),
    null,
  ]);
  // what people see of it, after it went through JSON
  expect(showRollout(JSON.parse(JSON.stringify(record)))).toMatch(/100 %.*–\n/);
});

describe("pairs that promotion needs", () => {
  const pairs = {
    ...judgement,
    promotion: [{ kind: "not_inferior", name: "not worse", pairs: "truth", odds: 0.8 } as const],
  };
  const known = { tallies: {}, pairs: { truth: { requests: 40, bad: 15 } } };
  const at = (share: number) =>
    recordOf({
      entry: {
        ...{ state: { ...state, share }, expect: "better", checks: [], results: [], tallies: [], warmUp: 0 },
        ...{ servingSince: null, endedAt: null, reference: null },
      },
      verdict: judge(known, pairs, { rho: share / 100, pairsPerMinute: 10 }),
      evidence: known,
      own: NOTHING_OWN,
      requests: 0,
      closed: false,
    });

  it("are forecast until the candidate has weight, and no longer", () => {
    const { verdict, guards } = at(0);
    expect(verdict.outlook).toMatch(/more pairs .* until promotion's guards pass/);
    expect(guards.at(-1)!.forecast).toMatchObject({ unit: "pairs" });
    const later = at(10);
    expect(later.verdict).toMatchObject({
      next: null,
      outlook: "no verdict in sight: nothing is copied to a color with weight, so no further pairs come",
    });
    expect(later.guards.at(-1)!.forecast).toBeUndefined();
  });

  it.each([0, 10])("are asked for in a warning, with what is there, at %d %%", (share) => {
    expect(at(share).warnings).toEqual([
      'Too little is known for "not worse", which promotion needs: green has won 25 of 40 pairs. Nothing is copied to green once it has weight, and only actual values of what was copied before still add to that: abort, let a shadow run for longer (sluice shadow start green), and start again.',
    ]);
  });
});
