import type { TracingConfig } from "../../config/config.ts";
import type { RequestFacts } from "../../core/request-facts.ts";
import { isSampled, RANDOM, readTraceContext, SAMPLED, type TraceContext } from "../../core/trace-context.ts";
import { newTraceId } from "./ids.ts";
import type { SpanSink } from "./span.ts";
import { Trace } from "./trace.ts";

/** Goes on with the traces that requests name, and begins one where they name none. */
export class Tracer {
  readonly #sample: number;
  readonly #sink: SpanSink | undefined;

  /** @param sink where spans go; undefined: ids are passed on and begun, and nothing is recorded */
  constructor({ sample }: Pick<TracingConfig, "sample">, sink: SpanSink | undefined) {
    this.#sample = sample;
    this.#sink = sink;
  }

  /** @param now milliseconds on the plane's clock. */
  begin(facts: RequestFacts, now: number): Trace {
    const context = readTraceContext(facts) ?? this.#root();
    const sampled = (context.flags & SAMPLED) !== 0;
    return new Trace(context, facts, sampled ? this.#sink : undefined, Date.now() - now);
  }

  /** The first flag is the caller's to set; where there is no caller, ours. */
  #root(): TraceContext {
    const traceId = newTraceId();
    const flags = RANDOM | (isSampled(traceId, this.#sample) ? SAMPLED : 0);
    return { traceId, parentId: undefined, flags, state: undefined };
  }
}
