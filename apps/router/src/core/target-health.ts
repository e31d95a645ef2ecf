import type { Health } from "./snapshot.ts";

/** What active checks say of a target. */
export interface CheckState {
  readonly verdict: "starting" | "up" | "down";
  /** Passes (above 0) or failures (below 0) in a row. */
  readonly run: number;
}

/** Every target begins so, restored ones too: no traffic before its first passed checks. */
export const UNCHECKED: CheckState = { verdict: "starting", run: 0 };

export interface Thresholds {
  /** Passes in a row that a target needs to be up, at least 1. */
  readonly rise: number;
  /** Failures in a row that declare it down, at least 1. */
  readonly fall: number;
}

/** The state after one more check. One result against the verdict starts a new run; only a full run turns it. */
export function afterCheck(state: CheckState, passed: boolean, { rise, fall }: Thresholds): CheckState {
  const run = passed ? Math.max(state.run, 0) + 1 : Math.min(state.run, 0) - 1;
  if (run >= rise) return { verdict: "up", run };
  if (run <= -fall) return { verdict: "down", run };
  return { verdict: state.verdict, run };
}

/** Checks and answers to real requests together. An ejection counts only while the checks pass. */
export function healthOf(checks: CheckState, ejected: boolean): Health {
  return checks.verdict === "up" && ejected ? "ejected" : checks.verdict;
}

/** While a target starts, checks come this fast, in milliseconds, so that a release need not wait `rise` intervals. */
const STARTING_INTERVAL = 200;

/** Milliseconds from the start of one check to the start of the next. `u` is uniform in [0, 1). */
export function checkDelay(state: CheckState, interval: number, jitter: number, u: number): number {
  const base = state.verdict === "starting" ? Math.min(interval, STARTING_INTERVAL) : interval;
  return base * (1 + jitter * (2 * u - 1));
}
