import type { TracingConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { Report, SpanCounts } from "../core/report.ts";
import type { Log } from "./log.ts";

/** Milliseconds without a loss after which an outage is over: a collector that takes every other batch is one outage. */
const QUIET = 60_000;
const NOTHING: SpanCounts = { exported: 0, queueFull: 0, failed: 0 };

/** Says once in the log that the collector takes no spans, and once that it does again, whatever the number of workers. */
export class CollectorWatch {
  readonly #tracing: () => TracingConfig | undefined;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #seen = new Map<number, SpanCounts>();
  /** When spans were last lost; undefined while all is well. */
  #lostAt: number | undefined;

  constructor(tracing: () => TracingConfig | undefined, clock: Clock, log: Log) {
    this.#tracing = tracing;
    this.#clock = clock;
    this.#log = log;
  }

  /** Looks at a report of a worker; what one has lost before this router knew it is old news. */
  note({ worker, spans, inherited = false }: Report): void {
    if (spans === undefined) return;
    const before = this.#seen.get(worker);
    this.#seen.set(worker, spans);
    if (inherited) return;
    const { exported, lost } = since(before, spans);
    if (lost > 0) this.#lost();
    else if (exported > 0) this.#taken();
  }

  #lost(): void {
    const began = this.#lostAt === undefined;
    this.#lostAt = this.#clock.now();
    const otlp = this.#tracing()?.otlp;
    if (!began || otlp === undefined) return;
    this.#log.warn(
      { otlp },
      `The collector at ${otlp} does not take spans: it is gone, refuses them, or is too slow. They are dropped, and counted in sluice_worker_spans_dropped_total; requests go on.`,
    );
  }

  #taken(): void {
    if (this.#lostAt === undefined || this.#clock.now() - this.#lostAt < QUIET) return;
    this.#lostAt = undefined;
    this.#log.info({ otlp: this.#tracing()?.otlp }, "The collector takes spans again.");
  }
}

/** A process that took a worker's place counts from 0. */
function since(before: SpanCounts = NOTHING, now: SpanCounts): { exported: number; lost: number } {
  const sum = ({ queueFull, failed }: SpanCounts) => queueFull + failed;
  const base = now.exported < before.exported || sum(now) < sum(before) ? NOTHING : before;
  return { exported: now.exported - base.exported, lost: sum(now) - sum(base) };
}
