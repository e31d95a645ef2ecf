import { addAnswers } from "./predictions/sums.ts";
import {
  type ColorReport,
  DURATION_BUCKETS,
  type DurationSums,
  type Exemplar,
  type Report,
  type TargetReport,
} from "./report.ts";

type Counts = Readonly<Record<string, number>>;
export type ColorSums = Readonly<Record<string, ColorReport>>;

export const EMPTY_COLOR: ColorReport = {
  inFlight: 0,
  assigned: 0,
  overridden: 0,
  hedges: 0,
  requests: {},
  attempts: {},
  upstreamErrors: {},
  retries: {},
  failovers: {},
  duration: { buckets: DURATION_BUCKETS.map(() => 0).concat(0), sum: 0 },
  evidence: { requests: 0, bad: 0 },
  targets: {},
};

/** Adds the sums of several workers, color by color. */
export function addSums(all: readonly ColorSums[]): Record<string, ColorReport> {
  const total: Record<string, ColorReport> = {};
  for (const sums of all) {
    for (const [name, color] of Object.entries(sums))
      total[name] = addColors(total[name] ?? EMPTY_COLOR, color);
  }
  return total;
}

function addColors(a: ColorReport, b: ColorReport): ColorReport {
  return {
    inFlight: a.inFlight + b.inFlight,
    assigned: a.assigned + b.assigned,
    overridden: a.overridden + b.overridden,
    hedges: a.hedges + b.hedges,
    requests: addCounts(a.requests, b.requests),
    grpc: addCounts(a.grpc ?? {}, b.grpc ?? {}),
    attempts: addCounts(a.attempts, b.attempts),
    upstreamErrors: addCounts(a.upstreamErrors, b.upstreamErrors),
    retries: addCounts(a.retries, b.retries),
    failovers: addCounts(a.failovers, b.failovers),
    duration: addDurations(a.duration, b.duration),
    evidence: {
      requests: a.evidence.requests + b.evidence.requests,
      bad: a.evidence.bad + b.evidence.bad,
    },
    tunnels: (a.tunnels ?? 0) + (b.tunnels ?? 0),
    held: (a.held ?? 0) + (b.held ?? 0),
    gated: addCounts(a.gated ?? {}, b.gated ?? {}),
    ...answersOf(a, b),
    targets: addTargets(a.targets, b.targets),
  };
}

function addDurations(a: DurationSums, b: DurationSums): DurationSums {
  const sums = {
    buckets: a.buckets.map((count, i) => count + (b.buckets[i] ?? 0)),
    sum: a.sum + b.sum,
  };
  if (a.exemplars === undefined && b.exemplars === undefined) return sums;
  const newer = (one: Exemplar | null, other: Exemplar | null) =>
    (one?.at ?? 0) >= (other?.at ?? 0) ? one : other;
  const exemplars = sums.buckets.map((_, i) => newer(a.exemplars?.[i] ?? null, b.exemplars?.[i] ?? null));
  return { ...sums, exemplars };
}

/** What only routers that read answers report. */
function answersOf(a: ColorReport, b: ColorReport): Pick<ColorReport, "answers" | "copies"> {
  const answers = addAnswers(a.answers, b.answers);
  const copies = a.copies && b.copies ? addCounts(a.copies, b.copies) : (a.copies ?? b.copies);
  return { ...(answers && { answers }), ...(copies && { copies }) };
}

function addCounts(a: Counts, b: Counts): Counts {
  const sum: Record<string, number> = { ...a };
  for (const [key, count] of Object.entries(b)) sum[key] = (sum[key] ?? 0) + count;
  return sum;
}

/** One worker's suspicion is enough to show a target as suspect. */
function addTargets(a: ColorReport["targets"], b: ColorReport["targets"]): ColorReport["targets"] {
  const sum: Record<string, TargetReport> = { ...a };
  for (const [url, target] of Object.entries(b)) {
    const before = sum[url];
    sum[url] = before === undefined ? target : addTarget(before, target);
  }
  return sum;
}

function addTarget(a: TargetReport, b: TargetReport): TargetReport {
  return {
    inFlight: a.inFlight + b.inFlight,
    suspect: a.suspect || b.suspect,
    passes: a.passes + b.passes,
    errors: a.errors + b.errors,
  };
}

/** What a worker that is gone leaves behind: its sums, but nothing in flight and no suspicion. */
export function settled(sums: ColorSums): ColorSums {
  return Object.fromEntries(
    Object.entries(sums).map(([name, color]) => [
      name,
      { ...color, inFlight: 0, tunnels: 0, held: 0, targets: settledTargets(color) },
    ]),
  );
}

function settledTargets(color: ColorReport): ColorReport["targets"] {
  return Object.fromEntries(
    Object.entries(color.targets).map(([url, target]) => [url, { ...target, inFlight: 0, suspect: false }]),
  );
}

/** True when counters went down: another process reports under the same number. */
export function beganAnew(before: Report, now: Report): boolean {
  return Object.entries(before.colors).some(
    ([name, color]) => events(now.colors[name] ?? EMPTY_COLOR) < events(color),
  );
}

function events(color: ColorReport): number {
  return color.assigned + color.overridden + countOf(color.requests) + countOf(color.attempts);
}

/** All counts together, or those whose key passes. */
export function countOf(counts: Counts, passes: (key: string) => boolean = () => true): number {
  return Object.entries(counts).reduce((sum, [key, count]) => sum + (passes(key) ? count : 0), 0);
}
