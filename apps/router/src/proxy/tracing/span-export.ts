import type { TracingConfig } from "../../config/config.ts";
import type { SpanCounts } from "../../core/report.ts";
import type { SpanData, SpanSink } from "./span.ts";

/** Hands spans to a collector. */
export interface Exporter {
  /** Resolves with whether the collector took them. */
  export(spans: readonly SpanData[]): Promise<boolean>;
  /** Cuts its connections. */
  close(): void;
}

/** Spans that wait at most; what comes on top is dropped, because requests are worth more. */
export const MOST_WAITING = 4096;
/** Spans in one export, and milliseconds that they wait for company. */
const BATCH = 512;
const GATHER = 1000;
/** Milliseconds that one export may take, with its repetitions: the exporter's own time-out begins anew with each byte. */
const LONGEST = 30_000;
/** Milliseconds that a collector may take for what is left at the end. */
const FLUSH = 2000;

type CreateExporter = (config: TracingConfig & { otlp: string }) => Promise<Exporter>;

/** The official exporter, loaded only once it is needed. */
const otlpExporter: CreateExporter = async (config) => (await import("./otlp.ts")).createOtlpExporter(config);

/**
 * What has been recorded, on its way to the collector: a bounded queue, and one export at a time. A request puts its spans
 * here and goes on; whatever the collector does, nobody waits for it.
 */
export class SpanExport {
  readonly #create: CreateExporter;
  #config: (TracingConfig & { otlp: string }) | undefined;
  #exporter: Promise<Exporter> | undefined;
  #waiting: SpanData[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  /** Spans of the export under way. */
  #sending = 0;
  #exported = 0;
  #queueFull = 0;
  #failed = 0;

  constructor(create: CreateExporter = otlpExporter) {
    this.#create = create;
  }

  /** Where spans go; undefined where nothing is recorded. */
  get sink(): SpanSink | undefined {
    return this.#config && { add: (span) => this.#add(span) };
  }

  /** Sends by other options from now on; what waits goes by them, too. */
  configure(config: TracingConfig | undefined): void {
    const { otlp } = config ?? {};
    const next = config && otlp !== undefined ? { ...config, otlp } : undefined;
    if (JSON.stringify(next) === JSON.stringify(this.#config)) return;
    this.#hangUp();
    this.#config = next;
  }

  counts(): SpanCounts {
    return { exported: this.#exported, queueFull: this.#queueFull, failed: this.#failed };
  }

  /** Sends what waits; resolves when that is done, or when the collector has had its time. What is left is dropped. */
  async close(): Promise<void> {
    if (this.#config === undefined || this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    await within(FLUSH, this.#drain());
    this.#failed += this.#waiting.length + this.#sending;
    this.#sending = 0;
    this.#waiting = [];
    this.#hangUp();
  }

  #add(span: SpanData): void {
    if (this.#waiting.length >= MOST_WAITING || this.#closed) {
      this.#queueFull++;
      return;
    }
    this.#waiting.push(span);
    if (this.#waiting.length === BATCH) this.#begin();
    else if (this.#timer === undefined && this.#running === undefined) {
      this.#timer = setTimeout(() => this.#begin(), GATHER);
      this.#timer.unref();
    }
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      const left = this.#waiting.length;
      if (left === 0 || this.#closed) return;
      this.#timer = setTimeout(() => this.#begin(), left >= BATCH ? 0 : GATHER);
      this.#timer.unref();
    });
  }

  async #drain(): Promise<void> {
    await this.#running;
    while (this.#waiting.length > 0) await this.#run();
  }

  async #run(): Promise<void> {
    const batch = this.#waiting.splice(0, BATCH);
    this.#sending = batch.length;
    const sent = await within(LONGEST, this.#send(batch));
    if (sent === undefined) this.#hangUp();
    if (sent) this.#exported += this.#sending;
    else this.#failed += this.#sending;
    this.#sending = 0;
  }

  async #send(batch: readonly SpanData[]): Promise<boolean> {
    try {
      this.#exporter ??= this.#create(this.#config!);
      return await (await this.#exporter).export(batch);
    } catch {
      this.#hangUp();
      return false;
    }
  }

  #hangUp(): void {
    void this.#exporter?.then((exporter) => exporter.close(), ignore);
    this.#exporter = undefined;
  }
}

/** What a promise gives, or undefined if it takes longer. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), milliseconds);
  timer.unref();
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function ignore(): void {}
