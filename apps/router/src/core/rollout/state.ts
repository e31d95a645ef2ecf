import type { Decision } from "../verdict/verdict.ts";
import type { Moment, RolloutPlan } from "./plan.ts";

export const PHASES = [
  "preparing",
  "shifting",
  "awaiting_approval",
  "promoting",
  "baking",
  "promoted",
  "rolling_back",
  "rolled_back",
  "aborted",
] as const;
export type Phase = (typeof PHASES)[number];

/** A color with what it runs. */
export interface Identity {
  readonly color: string;
  readonly version: string;
  readonly digest: string;
}

export interface Pause {
  readonly by: "person" | "breach" | "timeout" | "stable_changed";
  readonly reason: string;
  /** The guard whose breach it was: resuming accepts it. */
  readonly guard: string | null;
}

/** One line of a rollout's own history. */
export interface LogEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly phase: Phase;
  /** The candidate's weight from then on, in percent. */
  readonly share: number;
  readonly event:
    | "start"
    | "step"
    | "gate"
    | "promote"
    | "bake"
    | "promoted"
    | "pause"
    | "resume"
    | "approve"
    | "hook"
    | "rollback"
    | "rolled_back"
    | "abort";
  readonly reason: string;
  /** Who asked for it; `sluice` decided by itself. */
  readonly by: string;
}

/** Times in milliseconds, as counted while the rollout was watched and requests came: neither a router that is down nor a pause makes a step pass. */
export interface Times {
  /** Of the last tick, since 1970. */
  readonly last: number;
  /** Since the start, down or not, but for the router's pauses and maintenance and pauses that a person asked for; begins anew when a time-out is resumed from. */
  readonly total: number;
  /** With this step's weight in force. */
  readonly step: number;
  readonly phase: number;
  readonly unavailable: number;
}

/** A rollout, whole: plain JSON, from which a killed router goes on. */
export interface RolloutState {
  readonly schema: 1;
  readonly id: string;
  readonly plan: RolloutPlan;
  readonly candidate: Identity;
  readonly stable: Identity;
  readonly phase: Phase;
  /** Index of the step in force; -1 before the first. */
  readonly step: number;
  /** The weight that the candidate is to have, in percent; the stable color has the rest. */
  readonly share: number;
  /** Whether every worker has been seen to serve by `share` since it was set. */
  readonly settled: boolean;
  readonly paused: Pause | null;
  /** Guards whose breach a person accepted. */
  readonly accepted: readonly string[];
  /** Set by the command promote: waits and gates are skipped; by force, promotion's guards as well. */
  readonly skip: "waits" | "guards" | null;
  readonly approved: boolean;
  /** The hook that is awaited. */
  readonly hook: { readonly moment: Moment; readonly name: string } | null;
  readonly hooksDone: readonly Moment[];
  readonly times: Times;
  /** The candidate's requests when this step's weight came in force. */
  readonly requestsAtStep: number;
  readonly log: readonly LogEntry[];
}

/** What is so now, as the runner sees it. */
export interface Facts {
  /** The candidate's weight that all workers serve by, in percent of both; undefined while they differ or others have weight. */
  readonly share: number | undefined;
  /** Nothing is in flight at a color that has weight 0. */
  readonly drained: boolean;
  readonly candidate: ColorFacts;
  readonly stable: ColorFacts;
  /** New requests are held by a pause, or turned away by maintenance: no color gets any. */
  readonly closed: boolean;
  /** First attempts that the candidate has ended in this rollout. */
  readonly requests: number;
  /** The verdict on the pair's evidence, with {@link RolloutState.accepted}. */
  readonly verdict: {
    readonly decision: Decision;
    readonly guard: string | undefined;
    readonly reason: string;
  };
  /** Golden rows, schema, warm-up, certificate of the shadow: whatever must be so before the first step. */
  readonly gates: "waiting" | "passed" | { readonly failed: string };
  /** Whether a runner of hooks is at work: a hook is asked for again while none is. */
  readonly hookRunning: boolean;
}

export interface ColorFacts {
  /** It has a target that takes traffic. */
  readonly available: boolean;
  /** What it runs now; undefined while that is not known. */
  readonly digest: string | undefined;
}

/** What the runner has to do. Each may be asked for again, until the facts show that it is done. */
export type Effect =
  | { readonly kind: "weights"; readonly candidate: number; readonly stable: number }
  | { readonly kind: "hook"; readonly moment: Moment; readonly name: string }
  | { readonly kind: "drain"; readonly color: string }
  | { readonly kind: "record"; readonly entry: LogEntry };

export interface Advance {
  readonly state: RolloutState;
  readonly effects: readonly Effect[];
}

const OVER: ReadonlySet<Phase> = new Set(["promoted", "rolled_back", "aborted"]);

/** True when nothing is decided any more. */
export function isOver({ phase }: RolloutState): boolean {
  return OVER.has(phase);
}

/** True when only what was already decided is still to be done: weights that are not in force, a hook that has not ended. */
export function isDone(state: RolloutState): boolean {
  return isOver(state) && state.settled && state.hook === null;
}
