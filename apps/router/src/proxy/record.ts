import { GRPC_NAMES } from "../core/grpc.ts";
import { OUTCOME_NAMES, type Outcome, outcomeRow } from "../core/outcome.ts";
import { type ColorReport, DURATION_BUCKETS, type Exemplar, type TargetReport } from "../core/report.ts";

/** Methods that are counted by name; any other is `OTHER`, or clients could make series without end. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "OTHER"];
const METHOD_INDEX: ReadonlyMap<string, number> = new Map(METHODS.map((name, i) => [name, i]));
const OTHER = METHODS.length - 1;
/** Three digits, as HTTP/1.1 writes them: upstreams do answer 999. */
const CODES = 1000;
const OUTCOME_INDEX: ReadonlyMap<Outcome, number> = new Map(OUTCOME_NAMES.map((name, i) => [name, i]));

/** One color's counters: plain arrays on the hot path, read into a report a few times a second. */
export class ColorCounters {
  inFlight = 0;
  /** Tunnels and event streams that are open. */
  tunnels = 0;
  assigned = 0;
  overridden = 0;
  hedges = 0;
  evidenceRequests = 0;
  evidenceBad = 0;
  readonly #requests = new Float64Array(METHODS.length * CODES);
  /** Indices of the requests that are not 0, so that a report need not look at all. */
  readonly #seen: number[] = [];
  readonly #grpc = new Float64Array(GRPC_NAMES.length);
  readonly #attempts = new Float64Array(OUTCOME_NAMES.length);
  readonly #retries = new Float64Array(OUTCOME_NAMES.length);
  readonly #failovers = new Map<string, number>();
  readonly #buckets = new Float64Array(DURATION_BUCKETS.length + 1);
  #seconds = 0;
  /** The newest of each bucket; undefined where no trace was recorded. */
  #exemplars: (Exemplar | null)[] | undefined;

  /** A client was answered by this color. */
  answered(method: string, status: number, milliseconds: number): void {
    const row = METHOD_INDEX.get(method) ?? OTHER;
    const at = row * CODES + status;
    if (this.#requests[at] === 0) this.#seen.push(at);
    this.#requests[at]! += 1;
    const seconds = milliseconds / 1000;
    this.#buckets[bucketOf(seconds)]! += 1;
    this.#seconds += seconds;
  }

  /** The trace of a request that was {@link answered}. @param at milliseconds since the epoch */
  exemplar(milliseconds: number, traceId: string, at: number): void {
    this.#exemplars ??= Array.from(this.#buckets, () => null);
    const value = milliseconds / 1000;
    this.#exemplars[bucketOf(value)] = { traceId, value, at };
  }

  /** A gRPC call was answered by this color, with a status of 0 to 16. */
  grpcAnswered(code: number): void {
    this.#grpc[code]! += 1;
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
    const attempts = named(OUTCOME_NAMES, this.#attempts);
    return {
      inFlight: this.inFlight,
      tunnels: this.tunnels,
      assigned: this.assigned,
      overridden: this.overridden,
      hedges: this.hedges,
      requests: this.#byMethodAndCode(),
      grpc: named(GRPC_NAMES, this.#grpc),
      attempts,
      upstreamErrors: Object.fromEntries(
        Object.entries(attempts).filter(([outcome]) => outcomeRow(outcome as Outcome).blame === "target"),
      ),
      retries: named(OUTCOME_NAMES, this.#retries),
      failovers: Object.fromEntries(this.#failovers),
      duration: {
        buckets: Array.from(this.#buckets),
        sum: this.#seconds,
        ...(this.#exemplars ? { exemplars: [...this.#exemplars] } : {}),
      },
      evidence: { requests: this.evidenceRequests, bad: this.evidenceBad },
      targets,
    };
  }

  #byMethodAndCode(): Record<string, number> {
    const named: Record<string, number> = {};
    for (const at of this.#seen) {
      named[`${METHODS[Math.floor(at / CODES)]} ${at % CODES}`] = this.#requests[at]!;
    }
    return named;
  }
}

function bucketOf(seconds: number): number {
  let bucket = 0;
  while (bucket < DURATION_BUCKETS.length && seconds > DURATION_BUCKETS[bucket]!) bucket++;
  return bucket;
}

/** The counts that are not 0, by name. */
function named(names: readonly string[], counts: Float64Array): Record<string, number> {
  const all: Record<string, number> = {};
  for (let i = 0; i < counts.length; i++) if (counts[i]! > 0) all[names[i]!] = counts[i]!;
  return all;
}
