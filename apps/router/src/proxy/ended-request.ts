import type { RequestFacts } from "../core/request-facts.ts";
import { readTraceContext } from "../core/trace-context.ts";
import type { AccessLine } from "./access-line.ts";
import type { Ending } from "./tracing/attributes.ts";
import type { Trace } from "./tracing/trace.ts";

/** All that is told of a request once it is over, in the access log and in its trace. */
export interface EndedRequest extends Ending {
  readonly facts: RequestFacts;
  /** `X-Request-Id` */
  readonly id: string;
  /** The client's own address, seen through trusted proxies. */
  readonly client: string;
  /** How the client came. */
  readonly scheme: "http" | "https";
  /** The color that answered, `none` if none did. */
  readonly color: string;
  /** The color that weight assigned it to, `none` if it was refused before. */
  readonly assigned: string;
  /** URL of the last target that was tried. */
  readonly target: string | undefined;
  readonly attempts: number;
  /** Of the answer's body. */
  readonly bytes: number;
  /** Milliseconds on the data plane's clock. */
  readonly start: number;
  readonly end: number;
}

/** Its line in the access log. @param trace undefined where tracing is off: then the trace that the client named is */
export function accessLine(ended: EndedRequest, trace: Trace | undefined): AccessLine {
  const { facts, grpcStatus, start, end } = ended;
  return {
    request_id: ended.id,
    trace_id: (trace?.context ?? readTraceContext(facts))?.traceId,
    method: facts.method,
    path: facts.path,
    status: ended.status,
    ...(grpcStatus === undefined ? {} : { grpc_status: grpcStatus }),
    color: ended.color,
    assigned: ended.assigned,
    target: ended.target,
    attempts: ended.attempts,
    outcome: ended.outcome,
    duration_ms: Math.round((end - start) * 1000) / 1000,
    bytes: ended.bytes,
    client: ended.client,
  };
}
