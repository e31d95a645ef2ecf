import { OUTCOME_NAMES, type Outcome, outcomeRow } from "../core/outcome.ts";
import { type ColorReport, DURATION_BUCKETS, type TargetReport } from "../core/report.ts";

/** Methods that are counted by name; any other is `OTHER`, or clients could make series without end. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "OTHER"];
const METHOD_INDEX: ReadonlyMap<string, number> = new Map(METHODS.map((name, i) => [name, i]));
const OTHER = METHODS.length - 1;
const CODES = 600;
const OUTCOME_INDEX: ReadonlyMap<Outcome, number> = new Map(OUTCOME_NAMES.map((name, i) => [name, i]));

/** One color's counters: plain arrays on the hot path, read into a report a few times a second. */
export class ColorCounters {
  inFlight = 0;
  assigned = 0;
  overridden = 0;
  evidenceRequests = 0;
  evidenceBad = 0;
  readonly #requests = new Float64Array(METHODS.length * CODES);
  readonly #attempts = new Float64Array(OUTCOME_NAMES.length);
  readonly #retries = new Float64Array(OUTCOME_NAMES.length);
  readonly #failovers = new Map<string, number>();
  readonly #buckets = new Float64Array(DURATION_BUCKETS.length + 1);
  #seconds = 0;

  /** A client was answered by this color. */
  answered(method: string, status: number, milliseconds: number): void {
    const row = METHOD_INDEX.get(method) ?? OTHER;
    this.#requests[row * CODES + status]! += 1;
    const seconds = milliseconds / 1000;
    let bucket = 0;
    while (bucket < DURATION_BUCKETS.length && seconds > DURATION_BUCKETS[bucket]!) bucket++;
    this.#buckets[bucket]! += 1;
    this.#seconds += seconds;
  }

  attempt(outcome: Outcome): void {
    this.#attempts[OUTCOME_INDEX.get(outcome)!]! += 1;
  }

  retried(outcome: Outcome): void {
    this.#retries[OUTCOME_INDEX.get(outcome)!]! += 1;
  }

  failedOver(to: string): void {
    this.#failovers.set(to, (this.#failovers.get(to) ?? 0) + 1);
  }

  report(targets: Record<string, TargetReport>): ColorReport {
    const attempts = byOutcome(this.#attempts);
    return {
      inFlight: this.inFlight,
      assigned: this.assigned,
      overridden: this.overridden,
      requests: byMethodAndCode(this.#requests),
      attempts,
      upstreamErrors: Object.fromEntries(
        Object.entries(attempts).filter(([outcome]) => outcomeRow(outcome as Outcome).blame === "target"),
      ),
      retries: byOutcome(this.#retries),
      failovers: Object.fromEntries(this.#failovers),
      duration: { buckets: Array.from(this.#buckets), sum: this.#seconds },
      evidence: { requests: this.evidenceRequests, bad: this.evidenceBad },
      targets,
    };
  }
}

function byOutcome(counts: Float64Array): Record<string, number> {
  const named: Record<string, number> = {};
  for (let i = 0; i < counts.length; i++) if (counts[i]! > 0) named[OUTCOME_NAMES[i]!] = counts[i]!;
  return named;
}

function byMethodAndCode(counts: Float64Array): Record<string, number> {
  const named: Record<string, number> = {};
  for (let i = 0; i < counts.length; i++) {
    if (counts[i]! > 0) named[`${METHODS[Math.floor(i / CODES)]} ${i % CODES}`] = counts[i]!;
  }
  return named;
}
