import type { Field } from "../../core/forwarding.ts";
import type { RequestFacts } from "../../core/request-facts.ts";
import { SAMPLED, type TraceContext, traceFields } from "../../core/trace-context.ts";
import type { Lease } from "../../targets/target.ts";
import type { EndedRequest } from "../ended-request.ts";
import {
  type Ending,
  endingAttributes,
  hostAttributes,
  type RequestAttributes,
  requestAttributes,
} from "./attributes.ts";
import { newSpanId } from "./ids.ts";
import type { SpanData, SpanSink } from "./span.ts";

/** One try at one target. */
interface Attempt {
  readonly lease: Lease;
  readonly spanId: string;
  readonly color: string;
  readonly httpVersion: string;
  /** How many came before it. */
  readonly resends: number;
}

/**
 * One request's place in its trace: a server span of its own and a client span for each attempt, where the trace is
 * recorded; else only the ids that are passed on.
 */
export class Trace {
  readonly context: TraceContext;
  readonly #facts: RequestFacts;
  readonly #sink: SpanSink | undefined;
  /** Milliseconds from the plane's clock to the epoch. */
  readonly #epoch: number;
  readonly #spanId = newSpanId();
  #request: RequestAttributes | undefined;
  /** Those under way. */
  #attempts: Attempt[] = [];
  #count = 0;

  /**
   * @param sink where spans go; undefined where this trace is not recorded
   * @param epoch milliseconds to be added to the plane's clock for the time of day
   */
  constructor(context: TraceContext, facts: RequestFacts, sink: SpanSink | undefined, epoch: number) {
    this.context = context;
    this.#facts = facts;
    this.#sink = sink;
    this.#epoch = epoch;
  }

  /** Somebody keeps this trace, so that it is worth pointing at. */
  get sampled(): boolean {
    return (this.context.flags & SAMPLED) !== 0;
  }

  /** An attempt begins: the fields that it carries. Where nothing is recorded the caller stays the parent. */
  fields(lease: Lease, color: string, httpVersion: string): Field[] {
    if (this.#sink === undefined) return traceFields(this.context, this.context.parentId ?? this.#spanId);
    const known = this.#attempts.find((attempt) => attempt.lease === lease);
    if (known) return traceFields(this.context, known.spanId);
    const spanId = newSpanId();
    const resends = this.#count++;
    this.#attempts.push({ lease, spanId, color, httpVersion, resends });
    return traceFields(this.context, spanId);
  }

  /** An attempt has ended; one that lost a race may do so after the request itself. */
  settled(lease: Lease, ending: Ending, now: number): void {
    const attempt = this.#attempts.find((each) => each.lease === lease);
    if (attempt === undefined) return;
    this.#attempts = this.#attempts.filter((each) => each !== attempt);
    this.#sink?.add(this.#clientSpan(attempt, ending, now));
  }

  finished(request: EndedRequest): void {
    this.#sink?.add(this.#serverSpan(request));
  }

  #serverSpan(request: EndedRequest): SpanData {
    const { name, path, attributes } = this.#common();
    // 499 is only ever logged
    const told = request.outcome === "client_abort" ? { ...request, status: 0 } : request;
    const ended = endingAttributes(told, "server");
    const { traceId, parentId, state, flags } = this.context;
    return {
      kind: "server",
      name,
      ...{ traceId, spanId: this.#spanId, parentId, state, flags },
      start: request.start + this.#epoch,
      end: request.end + this.#epoch,
      attributes: {
        ...attributes,
        "url.path": path,
        "url.scheme": request.scheme,
        ...hostAttributes(this.#facts.header("host")),
        "client.address": request.client,
        "network.protocol.version": this.#facts.httpVersion,
        ...ended.attributes,
        "sluice.request_id": request.id,
        "sluice.color": request.color,
        "sluice.assigned": request.assigned,
        "sluice.retries": Math.max(0, request.attempts - 1),
      },
      failed: ended.failed,
    };
  }

  #clientSpan(attempt: Attempt, ending: Ending, end: number): SpanData {
    const { name, path, attributes } = this.#common();
    const ended = endingAttributes(ending, "client");
    const { target, claimedAt } = attempt.lease;
    const { traceId, state, flags } = this.context;
    return {
      kind: "client",
      name,
      ...{ traceId, spanId: attempt.spanId, parentId: this.#spanId, state, flags },
      start: claimedAt + this.#epoch,
      end: end + this.#epoch,
      attributes: {
        ...attributes,
        "url.full": `${target.url}${path}`,
        "server.address": target.host,
        "server.port": target.port,
        "network.protocol.version": attempt.httpVersion,
        "http.request.resend_count": attempt.resends > 0 ? attempt.resends : undefined,
        ...ended.attributes,
        "sluice.color": attempt.color,
      },
      failed: ended.failed,
    };
  }

  #common(): RequestAttributes {
    this.#request ??= requestAttributes(this.#facts);
    return this.#request;
  }
}
