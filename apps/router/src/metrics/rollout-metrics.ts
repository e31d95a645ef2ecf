import type { Registry } from "prom-client";
import { PHASES, type Phase } from "../core/rollout/state.ts";
import type { Reading } from "../core/verdict/reading.ts";
import { addMetric } from "./series.ts";

/** A decision that was made, by how often. */
export interface DecisionCount {
  readonly decision: string;
  readonly reason: string;
  readonly count: number;
}

/** What there is to say of rollouts. */
export interface RolloutReading {
  /** Of the newest rollout; undefined before the first. */
  readonly phase: Phase | undefined;
  /** The candidate's share, 0 to 1. */
  readonly share: number;
  readonly paused: boolean;
  readonly guards: readonly Reading[];
  readonly decisions: readonly DecisionCount[];
}

/** Why a rollout is rolled back where no guard said so; see control/rollout/decisions.ts. */
const CAUSES = ["asked", "check", "hook", "identity", "timeout", "unavailable"];

/**
 * What may come, from 0 on: `increase()` does not see a series that begins with 1. A guard's is there from the rollout's
 * start, long before it can be breached.
 */
function firstDecisions(guards: readonly Reading[]): readonly DecisionCount[] {
  const breached = guards.filter(({ role }) => role !== "promotion").map(({ guard }) => guard);
  const reasons = new Set(["errors", ...breached, ...CAUSES]);
  return [
    ...[...reasons].map((reason) => ({ decision: "rollback", reason, count: 0 })),
    { decision: "promoted", reason: "evidence", count: 0 },
  ];
}

export function addRollout(registry: Registry, read: () => RolloutReading): void {
  const add = (
    type: "gauge" | "counter",
    name: string,
    help: string,
    samples: (reading: RolloutReading) => readonly [Readonly<Record<string, string>>, number][],
  ) =>
    addMetric(registry, type, `sluice_rollout_${name}`, help, () =>
      samples(read()).map(([labels, value]) => ({ labels, value })),
    );
  add("gauge", "phase", "1 for the phase that the newest rollout is in, else 0.", ({ phase }) =>
    PHASES.map((each) => [{ phase: each }, each === phase ? 1 : 0]),
  );
  add("gauge", "paused", "1 while a rollout waits for somebody to resume it.", ({ paused }) => [
    [{}, paused ? 1 : 0],
  ]);
  add(
    "gauge",
    "share_ratio",
    "The candidate's share of requests in the newest rollout, 0 to 1.",
    ({ share }) => [[{}, share]],
  );
  add("gauge", "evidence_log10", "Decimal logarithm of a guard's evidence.", ({ guards }) =>
    guards.map(({ guard, role, log10_e }) => [{ guard, role }, log10_e]),
  );
  add(
    "gauge",
    "evidence_threshold_log10",
    "Decimal logarithm of what a guard's evidence must reach.",
    ({ guards }) => guards.map(({ guard, role, log10_threshold }) => [{ guard, role }, log10_threshold]),
  );
  add(
    "counter",
    "decisions_total",
    "Decisions of rollouts, by what led to them.",
    ({ decisions, guards }) => {
      const first = firstDecisions(guards).filter(
        (each) =>
          !decisions.some(({ decision, reason }) => decision === each.decision && reason === each.reason),
      );
      return [...first, ...decisions].map(({ decision, reason, count }) => [{ decision, reason }, count]);
    },
  );
}
