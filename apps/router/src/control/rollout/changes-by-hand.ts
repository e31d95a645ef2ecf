import type { RolloutCommand } from "../../core/rollout/command.ts";
import { isOver, type RolloutState } from "../../core/rollout/state.ts";
import { leavesWeights } from "../../core/transitions.ts";
import { shares, type Weights } from "../../core/weights.ts";
import type { HistoryEntry, Meta } from "../history.ts";

/** While a rollout moves the weights, nobody else does, unless it is ended by that: what becomes of changes by hand. */

/** Why a change by hand is refused, with the way out; undefined lets it through. */
export function whyRefused(state: RolloutState | undefined, kind: string, meta: Meta): string | undefined {
  if (state === undefined || isOver(state) || !isByHand(kind, meta) || meta.abortsRollout) return undefined;
  const how =
    kind === "reload"
      ? "end it, then read the file again"
      : '"abort_rollout": true (--abort-rollout) ends it and makes this change';
  return `The rollout ${state.id} is ${words(state)} and moves the weights; ${how}.`;
}

/** The weights were set by somebody else than a rollout. */
export function isByHand(kind: string, { rollout }: Pick<Meta, "rollout">): boolean {
  return rollout === undefined && !leavesWeights(kind);
}

/** The abort that a change by hand comes to, a rollback or one that was told to abort: its weights stay. */
export function abortBy({ kind, who, why, to }: HistoryEntry, { candidate }: RolloutState): RolloutCommand {
  const reason = `${kind} by ${who}${why ? `: ${why}` : ""}`;
  return { kind: "abort", by: who, reason, shareSet: 100 * shares(to as Weights)[candidate.color]! };
}

export function words({ phase }: RolloutState): string {
  return phase.replaceAll("_", " ");
}
