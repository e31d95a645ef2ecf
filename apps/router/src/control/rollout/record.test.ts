import { expect, it } from "vitest";
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
