import type { TallyCounter } from "../../core/evidence/tally-counter.ts";
import { isGrpcRejection } from "../../core/grpc.ts";
import { type Outcome, outcomeRow } from "../../core/outcome.ts";
import { DURATION_BUCKETS } from "../../core/report.ts";
import type { RolloutView, TallySpec } from "../../core/rollout/counting.ts";
import type { RolloutCounter } from "./rollout-counter.ts";

/** How the first attempt of a request at its assigned color ended. */
export interface Ending {
  readonly outcome: Outcome;
  /** The upstream's own status; 0 where there was none. */
  readonly status: number;
  /** A gRPC call's own status; undefined for other requests, and where none came. */
  readonly grpcStatus?: number | undefined;
  /** Milliseconds from sending, without connecting, to the end of the answer. */
  readonly duration: number;
  /** The affinity key; undefined where the color was drawn. */
  readonly key: string | undefined;
}

/** A break of the schema answers 422 to everybody; these say something of the client, or of load. */
const NOT_REJECTED: ReadonlySet<number> = new Set([401, 403, 429]);
/** Nothing was sent, so nothing was slow. */
const UNSENT: ReadonlySet<Outcome> = new Set(["connect_failed", "connect_timeout", "no_target"]);

/**
 * By what the requests of one color are counted that are assigned under one snapshot: made once for each snapshot, so that a
 * request allocates nothing, and held by the request, because what counts is what was so when it was assigned.
 */
export class Charging {
  /** The candidate's share at assignment. */
  readonly rho: number;
  /** Whether this color is the candidate. */
  readonly candidate: boolean;
  /** Milliseconds; infinite where nothing is counted as slow. */
  readonly slowAfter: number;
  readonly #counter: RolloutCounter;
  readonly #specs: ReadonlyMap<string, TallySpec>;
  readonly #errors: Counting | undefined;
  readonly #slow: Counting | undefined;
  readonly #rejected: Counting | undefined;
  readonly #assigned: TallyCounter | undefined;
  readonly #latency: number[] | undefined;

  constructor(counter: RolloutCounter, { tallies }: RolloutView, rho: number, candidate: boolean) {
    this.#counter = counter;
    this.rho = rho;
    this.candidate = candidate;
    this.#specs = new Map(tallies.map((spec) => [spec.name, spec]));
    const of = (kind: string) => tallies.find((spec) => spec.kind === kind);
    const counting = (kind: string) => this.#counting(of(kind));
    this.#errors = counting("errors");
    this.#slow = counting("slow");
    this.#rejected = counting("rejected");
    this.#assigned = counting("assigned")?.tally;
    this.slowAfter = Number(of("slow")?.parameters?.after ?? Number.POSITIVE_INFINITY);
    this.#latency = counter.cells("latency", rho, DURATION_BUCKETS.length + 1)?.[
      candidate ? "candidate" : "stable"
    ];
  }

  #counting(spec: TallySpec | undefined): Counting | undefined {
    return spec && { name: spec.name, tally: this.#counter.tally(spec.name) };
  }

  /** What a tally is to be counted by; undefined where this rollout does not count it. */
  spec(name: string): TallySpec | undefined {
    return this.#specs.get(name);
  }

  /** All tallies of a kind. */
  specsOf(kind: string): readonly TallySpec[] {
    return [...this.#specs.values()].filter((spec) => spec.kind === kind);
  }

  /** A request was assigned: the check of the draws counts here, because a slow color's requests end later. */
  assign(): void {
    this.#assigned?.add(this.rho, this.candidate, false);
  }

  /** One record for each client request. A client that gives up blames nobody, unless it was too slow for anybody by then. */
  ended(ending: Ending): void {
    const { outcome, status, grpcStatus, duration, key } = ending;
    const row = outcomeRow(outcome);
    const isSlow = duration >= this.slowAfter || outcome === "stalled";
    if (row.blame === "client") {
      if (outcome === "client_abort" && isSlow) this.#add(this.#slow, true, key);
      return;
    }
    this.#add(this.#errors, row.bad, key);
    if (UNSENT.has(outcome)) return;
    this.#add(this.#rejected, isRejected(status, grpcStatus), key);
    if (status === 101) return; // how long a tunnel lasts is the client's to say
    this.#add(this.#slow, isSlow, key);
    if (status !== 0) this.#time(duration);
  }

  /** Books one more thing about a request, for guards that others have: at most once for each request and tally. */
  add(name: string, bad: boolean, key: string | undefined): void {
    if (this.#specs.has(name)) this.#add({ name, tally: this.#counter.tally(name) }, bad, key);
  }

  /** Counts into bucket `bucket` of the `length` that a measurement has, at this weight and for this color. */
  measure(name: string, bucket: number, length: number): void {
    const cells = this.#counter.cells(name, this.rho, length);
    if (cells && bucket >= 0 && bucket < length) cells[this.candidate ? "candidate" : "stable"][bucket]! += 1;
  }

  #add(counting: Counting | undefined, bad: boolean, key: string | undefined): void {
    if (counting === undefined) return;
    if (bad && key !== undefined) this.#counter.badUser(counting.name, key, this.rho, this.candidate);
    else counting.tally.add(this.rho, this.candidate, bad);
  }

  #time(duration: number): void {
    if (this.#latency === undefined) return;
    const seconds = duration / 1000;
    let bucket = 0;
    while (bucket < DURATION_BUCKETS.length && seconds > DURATION_BUCKETS[bucket]!) bucket++;
    this.#latency[bucket]! += 1;
  }
}

interface Counting {
  readonly name: string;
  readonly tally: TallyCounter;
}

function isRejected(status: number, grpcStatus: number | undefined): boolean {
  if (status === 200 && grpcStatus !== undefined) return isGrpcRejection(grpcStatus);
  return status >= 400 && status < 500 && !NOT_REJECTED.has(status);
}
