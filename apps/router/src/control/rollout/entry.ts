import type { Evidence } from "../../core/evidence/evidence.ts";
import type { Reference } from "../../core/evidence/prediction-drift.ts";
import type { TallySpec } from "../../core/rollout/counting.ts";
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

/** What is said of a check whose turn has not come. */
export const NOT_RUN = "not run";

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
function isDecided(state: RolloutState): boolean {
  return state.phase === "rolling_back" || isOver(state);
}

/** A rollout that has come to this state, by this verdict: what it ended by is kept, whatever is reported later. */
export function advanced(
  before: RolloutEntry,
  state: RolloutState,
  by: { readonly verdict: Verdict; readonly evidence: Evidence; readonly now: number },
): RolloutEntry {
  const ended = isOver(state) && (before.endedAt === null || before.state.phase !== state.phase); // an abort ends a promotion, too
  const decided = isDecided(state) && !isDecided(before.state);
  const serves = before.servingSince === null && state.settled && state.share > 0;
  return {
    ...before,
    state,
    ...(ended && { endedAt: by.now }),
    ...(decided && { decided: by.verdict, decidedOn: by.evidence }),
    ...(serves && { servingSince: by.now }),
    ...(state.phase !== "preparing" && { results: before.results.map(cutOff) }),
  };
}

/** A check that nobody waits for any more. */
function cutOff(result: GateResult): GateResult {
  const begun = result.ok === undefined && result.detail !== NOT_RUN;
  return begun ? { ...result, detail: "not run to its end" } : result;
}
