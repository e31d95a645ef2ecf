import type { Served } from "./feedback/served.ts";
import type { AnswerSums } from "./predictions/sums.ts";
import type { RunReport } from "./rollout/counting.ts";
import type { PairRun } from "./shadow/view.ts";

/**
 * What the data plane tells the control plane. All sums are cumulative since the worker began, so reports may be
 * lost or repeated without harm, and sums from several workers add.
 */

/** Upper bounds of the latency buckets, in seconds (Prometheus `le`), without +Inf. */
export const DURATION_BUCKETS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** A request that fell into a bucket, for whoever wants to look at one. */
export interface Exemplar {
  readonly traceId: string;
  /** Seconds. */
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface DurationSums {
  /** One count a bucket (not cumulative), the last for everything above the highest bound. */
  readonly buckets: readonly number[];
  /** Seconds. */
  readonly sum: number;
  /** The newest of each bucket, null where there is none; missing where no trace was recorded. */
  readonly exemplars?: readonly (Exemplar | null)[];
}

/** Spans since the process began. */
export interface SpanCounts {
  /** Taken by the collector. */
  readonly exported: number;
  /** No room: the collector is too slow, or gone. */
  readonly queueFull: number;
  /** The collector refused them, or did not answer. */
  readonly failed: number;
}

/** First attempts of randomly assigned requests: what verdicts are computed from. */
export interface EvidenceSums {
  readonly requests: number;
  readonly bad: number;
}

export interface ColorReport {
  /** Requests assigned to this color, and requests that this color is answering for another, not yet ended. */
  readonly inFlight: number;
  readonly assigned: number;
  /** Requests that an override sent here; counted apart, never evidence. */
  readonly overridden: number;
  /** Second attempts that were sent here because the first was slow. */
  readonly hedges: number;
  /** Key `METHOD CODE`, such as `GET 200`. */
  readonly requests: Readonly<Record<string, number>>;
  /** Answers to gRPC calls. Key: the status's name, such as `OK`. Missing from workers of a version that did not send it. */
  readonly grpc?: Readonly<Record<string, number>>;
  /** Key: outcome. */
  readonly attempts: Readonly<Record<string, number>>;
  /** Key: outcome that blames the upstream. */
  readonly upstreamErrors: Readonly<Record<string, number>>;
  /** Key: outcome that was retried. */
  readonly retries: Readonly<Record<string, number>>;
  /** Key: the color that took over. */
  readonly failovers: Readonly<Record<string, number>>;
  readonly duration: DurationSums;
  readonly evidence: EvidenceSums;
  /** Tunnels and event streams that are open; they are not in flight. Missing from workers of an older version. */
  readonly tunnels?: number;
  /** Of `none` only: requests that wait at the closed gate. */
  readonly held?: number;
  /** Of `none` only: stays at the closed gate. Key: how they ended. */
  readonly gated?: Readonly<Record<string, number>>;
  /** What was found in its answers; missing where none was looked at. */
  readonly answers?: AnswerSums;
  /** Copies of requests that it got as a shadow, by how they ended; missing where there were none. */
  readonly copies?: Readonly<Record<string, number>>;
  /** By target URL. */
  readonly targets: Readonly<Record<string, TargetReport>>;
}

export interface TargetReport {
  readonly inFlight: number;
  readonly suspect: boolean;
  /** Attempts that ended well, and attempts whose ending blames the target. */
  readonly passes: number;
  readonly errors: number;
}

/** What a data-plane process has used up since it began, and what it holds now. */
export interface ProcessFacts {
  /** Processor time, user and system. */
  readonly cpuSeconds: number;
  /** Time that its event loop was not waiting; what is missing to the passed time is its reserve. */
  readonly loopSeconds: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
}

export interface Report {
  /** Which data-plane process this comes from; 0 where there is one. */
  readonly worker: number;
  /** The newest snapshot that this worker serves by. */
  readonly epoch: number;
  /** By color name; `none` counts answers that no color gave. */
  readonly colors: Readonly<Record<string, ColorReport>>;
  /** Client connections that are open now. */
  readonly connections: number;
  /** Missing from workers of a version that did not send it. */
  readonly process?: ProcessFacts;
  /** Missing where tracing is off. */
  readonly spans?: SpanCounts;
  /** TLS handshakes with clients since the worker began; absent where they speak plain HTTP. */
  readonly handshakes?: { readonly done: number; readonly failed: number };
  /**
   * True in the first report to a control plane that found this worker serving already: its sums, and the errors in
   * them, are old news.
   */
  readonly inherited?: boolean;
  /** What was found by comparing answers with those of a shadow; missing where none runs. */
  readonly shadow?: PairRun;
  /** What was predicted since the last report that had any: no sums, and each record is in one report only. */
  readonly served?: readonly Served[];
  /** Records like these that were dropped, because too many waited, since the worker began. */
  readonly servedDropped?: number;
  /** What was counted for a rollout, the newest by this worker; absent before the first. */
  readonly runs?: readonly RunReport[];
}
