import type { Evidence } from "../../core/evidence/evidence.ts";
import { compareLatency, type LatencyReading } from "../../core/evidence/latency-band.ts";
import { compareDrift, type DriftReading, type Reference } from "../../core/evidence/prediction-drift.ts";
import { quantile } from "../../core/quantile.ts";
import { DURATION_BUCKETS } from "../../core/report.ts";
import type { StepHistogram } from "../../core/rollout/counting.ts";
import { isOver, type LogEntry, type RolloutState } from "../../core/rollout/state.ts";
import { SAMPLE_RATIO } from "../../core/verdict/guards.ts";
import { duration, grouped, plural } from "../../core/verdict/numbers.ts";
import type { Reading } from "../../core/verdict/reading.ts";
import type { Verdict } from "../../core/verdict/verdict.ts";
import type { GateResult, RolloutEntry } from "./entry.ts";
import type { OwnEvidence } from "./ledger.ts";

/** Confidence of what is shown for people: 95 %. */
const ALPHA_SHOWN = 0.05;

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

export interface StepView {
  /** From 1; 0 before the first. */
  readonly number: number;
  readonly of: number;
  readonly seconds: number;
  readonly seconds_least: number;
  readonly requests: number;
  readonly requests_least: number;
}

/** Second opinions at one weight: for people, who decide nothing by them alone. */
export interface StepReading {
  /** The candidate's share, in percent. */
  readonly share: number;
  readonly latency: LatencyView | null;
  readonly predictions: DriftReading | null;
}

export interface LatencyView extends LatencyReading {
  readonly candidate: Quantiles;
  readonly stable: Quantiles;
  /** Upper bound of the bucket at which the two differ most, in seconds; null above the highest. */
  readonly at: number | null;
}

interface Quantiles {
  readonly requests: number;
  /** Seconds; null without requests. */
  readonly p50: number | null;
  readonly p95: number | null;
}

export interface RecordParts {
  readonly entry: RolloutEntry;
  readonly verdict: Verdict;
  readonly evidence: Evidence;
  readonly own: OwnEvidence;
  /** First attempts that the candidate has ended in this rollout. */
  readonly requests: number;
  /** New requests are held, or turned away. */
  readonly closed: boolean;
}

export function recordOf(parts: RecordParts): ReleaseRecord {
  const { entry, verdict, evidence, own } = parts;
  const { state } = entry;
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

function stepView({ entry, requests }: RecordParts): StepView {
  const { state } = entry;
  const { plan } = state;
  const baking = state.phase === "baking" || state.phase === "promoted";
  return {
    number: state.step + 1,
    of: plan.steps.length,
    seconds: (baking ? state.times.phase : state.times.step) / 1000,
    seconds_least: (baking ? plan.bake : plan.stepMin) / 1000,
    requests: Math.max(0, requests - state.requestsAtStep),
    requests_least: plan.stepRequests,
  };
}

/** What it waits for. */
function nextOf(parts: RecordParts): string {
  const { entry, verdict, closed } = parts;
  const { state } = entry;
  if (state.paused !== null) return `It is paused until somebody resumes it: ${state.paused.reason}.`;
  if (closed && !isOver(state) && state.phase !== "rolling_back")
    return "Its time stands still: the router is paused or in maintenance.";
  if (state.hook !== null) return `The hook ${state.hook.name} is under way.`;
  const { color } = state.candidate;
  switch (state.phase) {
    case "preparing":
      return preparing(entry);
    case "shifting":
      return shifting(parts);
    case "awaiting_approval":
      return `${state.plan.steps[state.step + 1]} % waits for somebody's approval: promote.`;
    case "promoting":
      return `${color} gets all requests.`;
    case "baking":
      return `${waits(parts) || "A last look"}, then the rollout is over.`;
    case "rolling_back":
      return `The requests that ${color} still has are waited for.`;
    default:
      return `It is over: ${endOf(state) ?? verdict.reason}.`;
  }
}

/** How it ended, whatever a hook said afterwards. */
function endOf({ log, phase }: RolloutState): string | undefined {
  const decisive = phase === "aborted" ? "abort" : phase === "rolled_back" ? "rollback" : phase;
  const end = log.findLast(({ event }) => event === decisive);
  if (end === undefined || phase === "promoted") return end?.reason;
  return phase === "aborted" ? `aborted by ${end.by}, ${end.reason}` : `rolled back, ${end.reason}`;
}

function preparing({ results, state }: RolloutEntry): string {
  const open = results.find(({ ok }) => ok === undefined);
  if (open !== undefined) return `The check ${open.name} is awaited: ${open.detail}.`;
  return `${state.candidate.color} and ${state.stable.color} have to be available, with their versions known.`;
}

function shifting(parts: RecordParts): string {
  const { entry, verdict } = parts;
  const { state } = entry;
  if (!state.settled) return `Every worker has to serve by ${state.share} % first.`;
  const to = state.plan.steps[state.step + 1]!;
  const open = waits(parts);
  if (open !== "") return `${open}, then ${to} %.`;
  return to === 100
    ? `Promotion's guards have to pass before 100 %: ${verdict.reason}.`
    : `${state.candidate.color} has to be available, then ${to} %.`;
}

/** What a step lacks: "40 seconds and 12 requests more". */
function waits(parts: RecordParts): string {
  const step = stepView(parts);
  const [seconds, requests] = [step.seconds_least - step.seconds, step.requests_least - step.requests];
  const lacking = [
    ...(seconds > 0 ? [duration(seconds / 60)] : []),
    ...(requests > 0 ? [`${plural(requests, "request")} of ${parts.entry.state.candidate.color}`] : []),
  ];
  return lacking.length > 0 ? `${lacking.join(" and ")} more` : "";
}

function warningsOf(
  readings: readonly Reading[],
  { evidence }: OwnEvidence,
  { state }: RolloutEntry,
): string[] {
  const draws = readings.find(({ guard, reached }) => guard === SAMPLE_RATIO && reached);
  const pairless = readings.find(({ kind, pairs }) => kind === "not_inferior" && pairs?.requests === 0);
  const lost = Object.entries(evidence.tallies).filter(([, { leftOut }]) => leftOut > 0);
  return [
    ...(draws
      ? [`Requests are not drawn by the weights (${draws.arithmetic}): its evidence is worthless.`]
      : []),
    ...(pairless && !isOver(state)
      ? [
          `Nothing is known for "${pairless.guard}", which promotion needs: a shadow that copies to ${state.candidate.color} before the rollout, and actual values of what it copied.`,
        ]
      : []),
    ...lost.map(
      ([name, { leftOut }]) => `${grouped(leftOut)} records of ${name} were left out: too many weights.`,
    ),
  ];
}

function stepReadings({ histograms }: OwnEvidence, entry: RolloutEntry): StepReading[] {
  const latency = histograms.latency ?? [];
  const predictions = histograms.predictions ?? [];
  const all = [...new Set([...latency, ...predictions].map(({ rho }) => rho))].sort((a, b) => a - b);
  return all.map((rho) => {
    const time = latency.find((one) => one.rho === rho);
    const values = predictions.find((one) => one.rho === rho);
    const { reference } = entry;
    return {
      share: rho * 100,
      latency: time === undefined ? null : latencyView(time.candidate, time.stable),
      predictions: values === undefined || reference === null ? null : driftView(values, reference),
    };
  });
}

/** Null where one of the two had no predictions, as at 100 %: the limit is infinite then, which JSON has not. */
function driftView({ stable, candidate }: StepHistogram, reference: Reference): DriftReading | null {
  const reading = compareDrift(reference, stable, candidate);
  return Number.isFinite(reading.psiLimit) ? reading : null;
}

function latencyView(candidate: readonly number[], stable: readonly number[]): LatencyView {
  const reading = compareLatency(stable, candidate, ALPHA_SHOWN);
  // JSON has no infinity: without requests the band is wider than any distance
  const band = Number.isFinite(reading.band) ? reading.band : 1;
  return {
    ...reading,
    band,
    at: DURATION_BUCKETS[reading.bucket] ?? null,
    candidate: quantiles(candidate),
    stable: quantiles(stable),
  };
}

function quantiles(buckets: readonly number[]): Quantiles {
  const at = (q: number) => quantile(q, DURATION_BUCKETS, buckets) ?? null;
  return { requests: buckets.reduce((sum, n) => sum + n, 0), p50: at(0.5), p95: at(0.95) };
}
