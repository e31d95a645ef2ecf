import type { Evidence } from "../../core/evidence/evidence.ts";
import { isOver, type LogEntry, type RolloutState } from "../../core/rollout/state.ts";
import { SAMPLE_RATIO } from "../../core/verdict/guards.ts";
import { grouped } from "../../core/verdict/numbers.ts";
import type { Reading } from "../../core/verdict/reading.ts";
import type { Verdict } from "../../core/verdict/verdict.ts";
import type { GateResult, RolloutEntry } from "./entry.ts";
import type { OwnEvidence } from "./ledger.ts";
import { pairsWarning, withoutPairs } from "./pairs-ended.ts";
import { type StepReading, stepReadings } from "./step-readings.ts";
import { type NextParts, nextOf, type StepView, stepView } from "./what-next.ts";

/** A rollout as the admin API shows it, and as it is kept once it is over. Times are ISO 8601 and seconds. */
export interface ReleaseRecord {
  readonly schema_version: 1;
  readonly id: string;
  readonly candidate: RolloutState["candidate"];
  readonly stable: RolloutState["stable"];
  readonly expect: string;
  readonly by: string;
  readonly reason: string;
  readonly started: string;
  readonly ended: string | null;
  readonly phase: RolloutState["phase"];
  readonly over: boolean;
  readonly paused: RolloutState["paused"];
  /** The candidate's share now, in percent. */
  readonly share: number;
  readonly step: StepView;
  /** What it waits for, in a sentence. */
  readonly next: string;
  readonly verdict: Pick<Verdict, "decision" | "reason" | "outlook"> & {
    readonly guard: string | null;
    readonly next: Verdict["next"] | null;
  };
  readonly guards: readonly Reading[];
  readonly warnings: readonly string[];
  readonly accepted: readonly string[];
  readonly checks: readonly GateResult[];
  /** For people: one line for each weight that the candidate has had. */
  readonly steps: readonly StepReading[];
  readonly plan: RolloutState["plan"];
  readonly weights: readonly { readonly at: string; readonly candidate: number; readonly stable: number }[];
  readonly log: readonly LogLine[];
  /** All that is known of this pair of versions, earlier rollouts included: what the verdict is computed from. */
  readonly evidence: Evidence;
  /** What this rollout has seen of it. */
  readonly own: Evidence;
}

export type LogLine = Omit<LogEntry, "at"> & { readonly at: string };

export interface RecordParts extends NextParts {
  readonly evidence: Evidence;
  readonly own: OwnEvidence;
}

export function recordOf(parts: RecordParts): ReleaseRecord {
  const { entry, evidence, own } = parts;
  const { state } = entry;
  const verdict = withoutPairs(parts.verdict, state);
  const [first] = state.log;
  const { decision, guard = null, reason, outlook, next = null, readings } = verdict;
  return {
    schema_version: 1,
    id: state.id,
    candidate: state.candidate,
    stable: state.stable,
    expect: entry.expect,
    by: first?.by ?? "",
    reason: first?.reason ?? "",
    started: iso(first?.at ?? state.times.last),
    ended: entry.endedAt === null ? null : iso(entry.endedAt),
    phase: state.phase,
    over: isOver(state),
    paused: state.paused,
    share: state.share,
    step: stepView(parts),
    next: nextOf(parts),
    verdict: { decision, guard, reason, outlook, next },
    guards: readings,
    warnings: warningsOf(readings, own, entry),
    accepted: state.accepted,
    checks: entry.results,
    steps: stepReadings(own, entry),
    plan: state.plan,
    weights: weightsOf(state.log),
    log: state.log.map(({ at, ...line }) => ({ at: iso(at), ...line })),
    evidence,
    own: own.evidence,
  };
}

const iso = (at: number) => new Date(at).toISOString();

function weightsOf(log: readonly LogEntry[]): ReleaseRecord["weights"] {
  return log
    .filter(({ share }, i) => share !== log[i - 1]?.share)
    .map(({ at, share }) => ({ at: iso(at), candidate: share, stable: 100 - share }));
}

function warningsOf(
  readings: readonly Reading[],
  { evidence }: OwnEvidence,
  { state }: RolloutEntry,
): string[] {
  const draws = readings.find(({ guard, reached }) => guard === SAMPLE_RATIO && reached);
  const lacking = isOver(state) ? undefined : pairsWarning(readings, state);
  const lost = Object.entries(evidence.tallies).filter(([, { leftOut }]) => leftOut > 0);
  return [
    ...(draws
      ? [`Requests are not drawn by the weights (${draws.arithmetic}): its evidence is worthless.`]
      : []),
    ...(lacking ? [lacking] : []),
    ...lost.map(
      ([name, { leftOut }]) => `${grouped(leftOut)} records of ${name} were left out: too many weights.`,
    ),
  ];
}
