import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Sent } from "./send.ts";

/** Seconds from the moment at which requests were due. */
export interface Latency {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface ColorSummary {
  readonly requests: number;
  readonly failed: number;
  /** By status; 0: no whole answer. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly latency: Latency | null;
}

/** What came of all requests, or of one color's. */
export class Tally {
  requests = 0;
  failed = 0;
  readonly statuses: Record<string, number> = {};
  readonly errors: Record<string, number> = {};
  readonly #micros: RecordableHistogram = createHistogram({ figures: 3 });

  /** @param milliseconds from the moment at which it was due */
  add({ status, error }: Sent, milliseconds: number): void {
    this.requests++;
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
    if (status < 200 || status > 299) this.failed++;
    if (error !== undefined) this.errors[error] = (this.errors[error] ?? 0) + 1;
    this.#micros.record(Math.max(1, Math.round(milliseconds * 1000)));
  }

  summary(): ColorSummary {
    const { requests, failed, statuses } = this;
    return { requests, failed, statuses, latency: this.#latency() };
  }

  #latency(): Latency | null {
    if (this.requests === 0) return null;
    const seconds = (micros: number) => Math.round(micros) / 1e6;
    const at = (percent: number) => seconds(this.#micros.percentile(percent));
    return {
      mean: seconds(this.#micros.mean),
      p50: at(50),
      p95: at(95),
      p99: at(99),
      max: seconds(this.#micros.max),
    };
  }
}
