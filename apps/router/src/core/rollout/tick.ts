import { breached, paused, rolledBack } from "./change.ts";
import { PHASE_HANDLERS } from "./phases.ts";
import { type Advance, type Effect, type Facts, isOver, type RolloutState, type Times } from "./state.ts";

/** Longer between two ticks nobody was watching: that time counts for no step and no bake. */
const WATCHED = 60_000;
/** Weights closer than this are the same, in percent. */
const SAME = 1e-6;

/**
 * One look at a rollout. `at` is milliseconds since 1970; going back, it stands still. Save the state before its effects are
 * carried out. Asking twice with the same facts does no harm: what is not done is asked for again, and nothing else.
 */
export function tick(before: RolloutState, facts: Facts, at: number): Advance {
  const now = settle(timed(before, facts, at), facts);
  const state = isOver(now) ? now : proceed(now, facts);
  return { state, effects: [...recorded(before, state), ...outstanding(state, facts)] };
}

/** New lines of the log, as effects. */
export function recorded(before: RolloutState, after: RolloutState): Effect[] {
  const old = new Set(before.log);
  return after.log.filter((entry) => !old.has(entry)).map((entry) => ({ kind: "record", entry }));
}

/** What has been decided and is not so yet. */
function outstanding(state: RolloutState, facts: Facts): Effect[] {
  const effects: Effect[] = [];
  const { share, hook } = state;
  if (!inForce(share, facts) && !(isOver(state) && state.settled)) {
    effects.push({ kind: "weights", candidate: share, stable: 100 - share });
  }
  if (hook !== null && !facts.hookRunning) effects.push({ kind: "hook", ...hook });
  if (state.phase === "rolling_back" && !facts.drained) {
    effects.push({ kind: "drain", color: state.candidate.color });
  }
  return effects;
}

function inForce(share: number, facts: Facts): boolean {
  return facts.share !== undefined && Math.abs(facts.share - share) < SAME;
}

/**
 * While no color gets requests nothing is learned, and nobody is without an answer for want of a target: everything may be
 * down then, to be swapped. So time stands still, but for a rollback, which waits for what is in flight.
 */
function timed(state: RolloutState, facts: Facts, at: number): RolloutState {
  const standsStill = facts.closed && state.phase !== "rolling_back";
  const passed = standsStill ? 0 : Math.max(0, at - state.times.last);
  const watched = Math.min(passed, WATCHED);
  const counted = state.paused ? 0 : watched;
  const byPerson = state.paused?.by === "person";
  const alone = !facts.candidate.available && facts.stable.available;
  const times: Times = {
    last: Math.max(at, state.times.last),
    total: state.times.total + (byPerson ? 0 : passed),
    step: state.times.step + (state.settled ? counted : 0),
    phase: state.times.phase + counted,
    unavailable: alone && state.phase !== "preparing" && !standsStill ? state.times.unavailable + watched : 0,
  };
  return { ...state, times };
}

/** Notes that the weight has come in force: from here a step's time and requests count. */
function settle(state: RolloutState, facts: Facts): RolloutState {
  if (state.settled || !inForce(state.share, facts)) return state;
  return { ...state, settled: true, requestsAtStep: facts.requests };
}

/** First what may end it, then what its phase waits for. */
function proceed(state: RolloutState, facts: Facts): RolloutState {
  if (state.phase === "rolling_back") return PHASE_HANDLERS.rolling_back(state, facts);
  const watched = watch(adoptStable(state, facts), facts);
  const stays = watched.phase === state.phase && watched.paused === null;
  return stays ? PHASE_HANDLERS[watched.phase](watched, facts) : watched;
}

/** A person who resumed after the stable color had changed has accepted what it runs now. */
function adoptStable(state: RolloutState, { stable }: Facts): RolloutState {
  if (state.stable.digest !== "" || stable.digest === undefined) return state;
  return { ...state, stable: { ...state.stable, digest: stable.digest } };
}

/** Looked at in every phase that has not ended, paused or not. */
function watch(state: RolloutState, facts: Facts): RolloutState {
  const { candidate, stable, verdict } = facts;
  const { plan } = state;
  if (candidate.digest !== undefined && candidate.digest !== state.candidate.digest) {
    return back(state, facts, `${state.candidate.color} runs another version now (${candidate.digest})`);
  }
  if (verdict.decision === "rollback") return breach(state, facts, verdict.reason, verdict.guard ?? null);
  if (state.times.unavailable >= plan.unavailableLimit) {
    return breach(state, facts, `${state.candidate.color} has had no available target for too long`, null);
  }
  if (verdict.decision === "pause") {
    return paused(state, { by: "breach", reason: verdict.reason, guard: verdict.guard ?? null });
  }
  if (stable.digest !== undefined && state.stable.digest !== "" && stable.digest !== state.stable.digest) {
    const reason = `${state.stable.color} runs another version now (${stable.digest})`;
    return paused(state, { by: "stable_changed", reason, guard: null });
  }
  return state.times.total < plan.maxDuration ? state : timeout(state, facts);
}

function timeout(state: RolloutState, facts: Facts): RolloutState {
  const reason = "the rollout has taken longer than max_duration";
  if (state.plan.onTimeout === "rollback") return back(state, facts, reason);
  return paused(state, { by: "timeout", reason, guard: null });
}

function breach(state: RolloutState, facts: Facts, reason: string, guard: string | null): RolloutState {
  if (state.plan.onBreach === "pause") return breached(state, reason, guard);
  return back(state, facts, reason);
}

/** Rolls back, unless that would send everybody to a color that cannot answer: then a person must decide. */
function back(state: RolloutState, facts: Facts, reason: string): RolloutState {
  if (facts.stable.available || state.share === 0) return rolledBack(state, reason);
  const blocked = `${reason}; ${state.stable.color} has no available target to go back to`;
  return paused(state, { by: "breach", reason: blocked, guard: null });
}
