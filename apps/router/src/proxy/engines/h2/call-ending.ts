import type { Field } from "../../../core/forwarding.ts";
import { grpcOfHttp, grpcOutcome, grpcStatus } from "../../../core/grpc.ts";
import { answeredWith, type Outcome } from "../../../core/outcome.ts";
import type { DataPlane } from "../../data-plane.ts";
import type { Exchange } from "../../exchange.ts";
import { fieldOf } from "./fields.ts";

/** How a gRPC call ended, by its trailers or an answer of trailers alone; the exchange is told. */
export function callEnding(exchange: Exchange, trailers: readonly Field[]): Outcome {
  const code = grpcStatus(fieldOf(trailers, "grpc-status"));
  exchange.grpcStatus = code;
  return grpcOutcome(code);
}

/** The same where the target may have answered the call with another status than 200, which says it all. */
export function callEndingOf(exchange: Exchange, status: number, trailers: readonly Field[]): Outcome {
  if (status === 200) return callEnding(exchange, trailers);
  exchange.grpcStatus = grpcOfHttp(status);
  return answeredWith(status);
}

/** A call whose head has come may still end with UNAVAILABLE, and then be repeated. */
export function mayTurnUnavailable(plane: DataPlane, { facts, bodyKept }: Exchange): boolean {
  if (!bodyKept || !plane.config.retry.on.includes("unavailable")) return false;
  return plane.isRepeatable(facts.method, facts.path);
}
