import type { RequestFacts } from "../core/request-facts.ts";
import type { DataPlane } from "./data-plane.ts";
import { accessLine, type EndedRequest } from "./ended-request.ts";

/** How a request ended that got no color. */
export interface RefusedAnswer {
  /** `X-Request-Id`. */
  readonly id: string;
  readonly status: number;
  /** Of the answer's body. */
  readonly bytes: number;
  /** Status of a gRPC call. */
  readonly grpc?: number | undefined;
  /** Milliseconds since its head came in. Default: 0 */
  readonly duration?: number;
  /** Default: `refused` */
  readonly outcome?: "refused" | "client_abort";
}

/** Counts a request that got no color, and tells of it where that is wanted. No attempt was made for it. */
export function bookRefused(plane: DataPlane, facts: RequestFacts, answer: RefusedAnswer): void {
  const { status, grpc, duration = 0 } = answer;
  plane.none.answered(facts.method, status, duration);
  if (grpc !== undefined) plane.none.grpcAnswered(grpc);
  if (plane.tracer === undefined && plane.accessLog === undefined) return;
  const ended = endedUnassigned(plane, facts, answer);
  const trace = plane.tracer?.begin(facts, ended.end);
  trace?.finished(ended);
  plane.accessLog?.(accessLine(ended, trace));
}

function endedUnassigned(plane: DataPlane, facts: RequestFacts, answer: RefusedAnswer): EndedRequest {
  const { id, status, bytes, grpc: grpcStatus, duration = 0, outcome = "refused" } = answer;
  const end = plane.now();
  return {
    ...{ facts, id, status, outcome, grpcStatus, bytes, end },
    start: end - duration,
    client: plane.clientOf(facts),
    scheme: plane.scheme,
    color: "none",
    assigned: "none",
    target: undefined,
    attempts: 0,
  };
}
