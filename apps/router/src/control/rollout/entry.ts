import type { Evidence } from "../../core/evidence/evidence.ts";
import type { Reference } from "../../core/evidence/prediction-drift.ts";
import type { RolloutView, TallySpec } from "../../core/rollout/counting.ts";
import { isOver, type RolloutState } from "../../core/rollout/state.ts";
import type { Verdict } from "../../core/verdict/verdict.ts";
import type { Expect } from "./ports.ts";

/** How a gate before the first step ended. */
export interface GateResult {
  readonly name: string;
  /** Undefined while it waits. */
  readonly ok: boolean | undefined;
  readonly detail: string;
}

/** A rollout with what only its runner has to know. Plain JSON. */
export interface RolloutEntry {
  readonly state: RolloutState;
  readonly expect: Expect;
  /** Names of the gates before the first step. */
  readonly checks: readonly string[];
  readonly results: readonly GateResult[];
  /** All that is counted, `slow` included. */
  readonly tallies: readonly TallySpec[];
  readonly reference: Reference | null;
  /** Milliseconds: so long after the candidate's first weight nothing is counted as slow. */
  readonly warmUp: number;
  /** When the candidate first had weight, in milliseconds since 1970; null before. */
  readonly servingSince: number | null;
  /** When it was over, in milliseconds since 1970; null before. */
  readonly endedAt: number | null;
  /** The verdict that it ended by: what is reported later changes nothing about that. */
  readonly decided?: Verdict | undefined;
  /** What that verdict was computed from. */
  readonly decidedOn?: Evidence | undefined;
}

/** Nothing is judged any more: what is left is to carry it out. */
export function isDecided(state: RolloutState): boolean {
  return state.phase === "rolling_back" || isOver(state);
}

/** The rollout as the data plane has to know it now: a cold candidate is not judged by its speed. */
export function viewOf(entry: RolloutEntry, now: number): RolloutView {
  const { state, tallies, reference } = entry;
  const warm = entry.servingSince !== null && now - entry.servingSince >= entry.warmUp;
  return {
    id: state.id,
    candidate: state.candidate.color,
    stable: state.stable.color,
    tallies: tallies.filter(({ kind }) => warm || kind !== "slow"),
    ...(reference && { reference }),
  };
}
