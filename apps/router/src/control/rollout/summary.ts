import type { RolloutState } from "../../core/rollout/state.ts";
import type { Verdict } from "../../core/verdict/verdict.ts";
import type { DecisionCount, RolloutReading } from "../../metrics/rollout-metrics.ts";

/** A rollout in a few words. */
export interface RolloutSummary {
  readonly id: string;
  readonly candidate: string;
  readonly stable: string;
  readonly phase: string;
  readonly paused: string | null;
  readonly share: number;
  readonly step: number;
  readonly steps: number;
  readonly verdict: string;
}

export function summaryOf(state: RolloutState, verdict: Verdict): RolloutSummary {
  return {
    id: state.id,
    candidate: state.candidate.color,
    stable: state.stable.color,
    phase: state.phase,
    paused: state.paused?.reason ?? null,
    share: state.share,
    step: state.step + 1,
    steps: state.plan.steps.length,
    verdict: verdict.reason,
  };
}

export function readingOf(
  state: RolloutState | undefined,
  verdict: Verdict | undefined,
  decisions: readonly DecisionCount[],
): RolloutReading {
  return {
    phase: state?.phase,
    share: (state?.share ?? 0) / 100,
    paused: state !== undefined && state.paused !== null,
    guards: verdict?.readings ?? [],
    decisions,
  };
}
