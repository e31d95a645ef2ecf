import type { Moment } from "./plan.ts";
import type { LogEntry, Pause, Phase, RolloutState } from "./state.ts";

/** Small steps from one state to the next, each of which leaves a line in the log. */

/** Lines that are kept; a rollout that people pause and resume for days loses its middle, not its end. */
const LOG_LIMIT = 500;
export const SLUICE = "sluice";

export function logged(
  state: RolloutState,
  event: LogEntry["event"],
  reason: string,
  by: string = SLUICE,
): RolloutState {
  const entry = { at: state.times.last, phase: state.phase, share: state.share, event, reason, by };
  const { log } = state;
  const kept =
    log.length < LOG_LIMIT ? log : [...log.slice(0, LOG_LIMIT / 2), ...log.slice(LOG_LIMIT / 2 + 1)];
  return { ...state, log: [...kept, entry] };
}

export function enter(state: RolloutState, phase: Phase): RolloutState {
  return { ...state, phase, times: { ...state.times, phase: 0 } };
}

/** As a router finds it that begins to look at `at`: while none did, time passed for `maxDuration` alone, and not at all where no color got requests or a person had paused it. */
export function afterGap(state: RolloutState, at: number, closed: boolean): RolloutState {
  const { times, paused } = state;
  const passed = closed || paused?.by === "person" ? 0 : Math.max(0, at - times.last);
  return { ...state, times: { ...times, last: Math.max(at, times.last), total: times.total + passed } };
}

/** A weight that is to come in force; a step's time begins when it has. */
export function withShare(state: RolloutState, share: number): RolloutState {
  const settled = state.settled && share === state.share;
  return { ...state, share, settled, times: { ...state.times, step: 0 } };
}

export function paused(state: RolloutState, pause: Pause, by: string = SLUICE): RolloutState {
  return state.paused ? state : logged({ ...state, paused: pause }, "pause", pause.reason, by);
}

/** Awaits the hook of a moment, if there is one that has not run. */
export function withHook(state: RolloutState, moment: Moment): RolloutState {
  const name = state.plan.hooks[moment];
  if (name === undefined || state.hooksDone.includes(moment)) return state;
  return { ...state, hook: { moment, name } };
}

/** True when the hook of a moment has run, or there is none. */
export function hookIsDone(state: RolloutState, moment: Moment): boolean {
  return state.plan.hooks[moment] === undefined || state.hooksDone.includes(moment);
}

/** All weight to the stable color, to be seen in force even where it was so: somebody may have changed it since. */
export function backToStable(state: RolloutState): RolloutState {
  return { ...withShare({ ...state, paused: null, hook: null }, 0), settled: false };
}

export function rolledBack(state: RolloutState, reason: string): RolloutState {
  const back = enter(backToStable(state), "rolling_back");
  return logged(withHook(back, "on_rollback"), "rollback", reason);
}

/** What the plan says of a breach: roll back, or wait for a person. */
export function breached(state: RolloutState, reason: string, guard: string | null): RolloutState {
  if (state.plan.onBreach === "rollback") return rolledBack(state, reason);
  return paused(state, { by: "breach", reason: `${reason}, but on_breach is pause`, guard });
}
