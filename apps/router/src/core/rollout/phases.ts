import { enter, hookIsDone, logged, rolledBack, withHook, withShare } from "./change.ts";
import type { Facts, Phase, RolloutState } from "./state.ts";

type Handler = (state: RolloutState, facts: Facts) => RolloutState;

/** What each phase waits for, and where it leads. Nothing here is asked while the rollout is paused. */
export const PHASE_HANDLERS: Readonly<Record<Phase, Handler>> = {
  preparing,
  shifting,
  awaiting_approval: awaitingApproval,
  promoting,
  baking,
  rolling_back: rollingBack,
  promoted: (state) => state,
  rolled_back: (state) => state,
  aborted: (state) => state,
};

function preparing(state: RolloutState, facts: Facts): RolloutState {
  if (!hookIsDone(state, "before_rollout")) return withHook(state, "before_rollout");
  if (typeof facts.gates === "object") return rolledBack(state, facts.gates.failed);
  const ready = facts.gates === "passed" && state.settled && known(state, facts) && facts.stable.available;
  return ready ? toStep(state, 0, facts) : state;
}

/** The candidate answers, and is still the version that was asked for. */
function known(state: RolloutState, { candidate }: Facts): boolean {
  return candidate.available && candidate.digest === state.candidate.digest;
}

function shifting(state: RolloutState, facts: Facts): RolloutState {
  if (!state.settled || !known(state, facts)) return state;
  const next = state.skip ? state.plan.steps.length - 1 : state.step + 1;
  const waited = state.times.step >= state.plan.stepMin && hadRequests(state, facts);
  return state.skip || waited ? toStep(state, next, facts) : state;
}

function hadRequests(state: RolloutState, facts: Facts): boolean {
  return facts.requests - state.requestsAtStep >= state.plan.stepRequests;
}

/** To a step's weight, past its gate and, for 100 %, past promotion's guards; or where it must wait. */
function toStep(state: RolloutState, index: number, facts: Facts): RolloutState {
  const share = state.plan.steps[index]!;
  if (share === 100 && !mayPromote(state, facts)) return state;
  const gated = state.plan.gates.includes(share) && !state.approved && !state.skip;
  if (gated) {
    if (state.phase === "awaiting_approval") return state;
    return logged(enter(state, "awaiting_approval"), "gate", `${share} % waits for approval`);
  }
  if (share === 100) {
    const forced = state.skip === "guards" ? "forced by hand" : facts.verdict.reason;
    return logged(enter({ ...state, approved: false }, "promoting"), "promote", forced);
  }
  const stepped = { ...withShare(state, share), step: index, approved: false };
  return logged(
    enter(stepped, "shifting"),
    "step",
    `step ${index + 1} of ${state.plan.steps.length}: ${share} %${index > 0 ? `; ${facts.verdict.reason}` : ""}`,
  );
}

function mayPromote(state: RolloutState, { verdict }: Facts): boolean {
  return verdict.decision === "promote" || state.skip === "guards";
}

function awaitingApproval(state: RolloutState, facts: Facts): RolloutState {
  const next = state.skip ? state.plan.steps.length - 1 : state.step + 1;
  return (state.approved || state.skip) && known(state, facts) ? toStep(state, next, facts) : state;
}

/** The hook first, then 100 %; the guards must hold at that very moment. */
function promoting(state: RolloutState, facts: Facts): RolloutState {
  if (!hookIsDone(state, "before_promotion")) return withHook(state, "before_promotion");
  if (state.share === 100 && state.settled) {
    const baking = enter({ ...state, skip: null }, "baking");
    return logged(
      baking,
      "bake",
      `all requests go to ${state.candidate.color}; ${state.stable.color} is kept warm`,
    );
  }
  if (state.share === 100 || !known(state, facts) || !mayPromote(state, facts)) return state;
  return logged({ ...withShare(state, 100), step: state.plan.steps.length - 1 }, "step", "100 %");
}

function baking(state: RolloutState, facts: Facts): RolloutState {
  const waited = state.times.phase >= state.plan.bake && hadRequests(state, facts);
  if (!known(state, facts) || !(waited || state.skip)) return state;
  const over = withHook(enter(state, "promoted"), "after_promotion");
  return logged(
    over,
    "promoted",
    `${state.candidate.color} (${state.candidate.version}) is the stable color now`,
  );
}

function rollingBack(state: RolloutState, facts: Facts): RolloutState {
  const emptied = facts.drained || state.times.phase >= state.plan.drainLimit;
  if (!state.settled || !emptied) return state;
  return logged(enter(state, "rolled_back"), "rolled_back", `all requests go to ${state.stable.color} again`);
}
