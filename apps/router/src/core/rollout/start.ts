import { logged } from "./change.ts";
import type { RolloutPlan } from "./plan.ts";
import type { Identity, RolloutState } from "./state.ts";

/**
 * A rollout that has just been asked for. Nothing has moved yet.
 * @throws RangeError when the two are one color, or a digest is not known: evidence belongs to a pair of digests
 */
export function startRollout(given: {
  readonly id: string;
  readonly plan: RolloutPlan;
  readonly candidate: Identity;
  readonly stable: Identity;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly by: string;
  readonly reason: string;
}): RolloutState {
  const { id, plan, candidate, stable, at, by, reason } = given;
  if (candidate.color === stable.color) {
    throw new RangeError(`${candidate.color} is candidate and stable at once; expected two colors.`);
  }
  for (const { color, digest } of [candidate, stable]) {
    if (digest === "") throw new RangeError(`It is not known what ${color} runs; expected a digest.`);
  }
  const state: RolloutState = {
    schema: 1,
    id,
    plan,
    candidate,
    stable,
    phase: "preparing",
    step: -1,
    share: 0,
    settled: false,
    paused: null,
    accepted: [],
    skip: null,
    approved: false,
    hook: null,
    hooksDone: [],
    times: { last: at, total: 0, step: 0, phase: 0, unavailable: 0 },
    requestsAtStep: 0,
    log: [],
  };
  return logged(state, "start", reason, by);
}
