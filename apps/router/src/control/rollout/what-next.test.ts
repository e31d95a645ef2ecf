import { describe, expect, it } from "vitest";
import type { Evidence } from "../../core/evidence/evidence.ts";
import { TallyCounter } from "../../core/evidence/tally-counter.ts";
import type { RolloutPlan } from "../../core/rollout/plan.ts";
import { Scene } from "../../core/rollout/test-kit.ts";
import { judge } from "../../core/verdict/verdict.ts";
import { nextOf } from "./what-next.ts";

const GUARDS = "Promotion's guards have to pass before 100 %: few errors below 1 %: candidate 0 of 10, ";

/** Requests of the candidate without an error; 363 pass promotion's guard. */
function seen(requests: number): Evidence {
  const counter = new TallyCounter();
  counter.add(0.5, true, false, requests);
  return { tallies: { errors: counter.tally() }, pairs: {} };
}

function next({ state, facts }: Scene, good = 10): string {
  const remaining = state.skip ? 0 : 1; // as where a step's time is not over
  const results = { checks: [], results: [], tallies: [] };
  const times = { reference: null, warmUp: 0, servingSince: null, endedAt: null };
  const verdict = judge(seen(good), state.plan.judgement, { rho: state.share / 100 }, { remaining });
  const { requests } = facts;
  return nextOf({ entry: { state, expect: "same", ...results, ...times }, verdict, requests, closed: false });
}

/** At the last step before 100 %, which needs 60 s and 100 requests. */
const last = (plan: Partial<RolloutPlan> = {}) => new Scene({ steps: [60, 100], ...plan }).until("shifting");

describe("what a rollout waits for", () => {
  it("is promotion's guards once nothing else is, by the command as well", () => {
    expect(next(last().tick(1).tick(60, 100))).toContain(GUARDS);
    const full = last().tick(1);
    full.do("promote");
    expect(next(full.tick(1))).toContain(GUARDS);
  });

  it("is promotion's guards where a step waited for the approval that every wait is skipped by", () => {
    const scene = new Scene({ steps: [5, 60, 100], gates: [60] }).until("awaiting_approval");
    expect(next(scene)).toBe("60 % waits for somebody's approval: promote.");
    scene.do("promote");
    expect(next(scene.tick(1))).toContain(GUARDS);
    expect(next(scene, 1000)).toBe("green has to be available, then 100 %.");
  });

  it("is the candidate where its step is approved", () => {
    const scene = new Scene({ steps: [5, 60, 100], gates: [60] }).until("awaiting_approval");
    scene.do("approve");
    scene.tick(1, 0, { candidate: { available: false, digest: "new" } });
    expect(next(scene)).toBe("green has to be available, then 60 %.");
  });

  it("is time, requests and, before 100 %, promotion's guards that have not passed", () => {
    expect(next(new Scene().until("shifting").tick(1))).toMatch(
      /^1 minute and 100 requests of green more, then 25 %\.$/,
    );
    const scene = last().tick(1).tick(58, 100);
    expect(next(scene)).toBe("2 seconds more, and promotion's guards have to pass, then 100 %.");
    expect(next(scene, 1000)).toBe("2 seconds more, then 100 %.");
  });
});
