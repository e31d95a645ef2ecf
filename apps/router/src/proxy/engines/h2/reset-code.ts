import { constants } from "node:http2";
import { GRPC } from "../../../core/grpc.ts";
import type { Outcome } from "../../../core/outcome.ts";

/** What a target's reset says of the request itself; other codes speak of its connection with us. */
const PASSED_ON: ReadonlySet<number> = new Set([
  constants.NGHTTP2_INTERNAL_ERROR,
  constants.NGHTTP2_CANCEL,
  constants.NGHTTP2_ENHANCE_YOUR_CALM,
  constants.NGHTTP2_INADEQUATE_SECURITY,
  constants.NGHTTP2_HTTP_1_1_REQUIRED,
]);

/** The code by which a client is told that its answer broke off (RFC 9113 section 7). */
export function resetCode(outcome: Outcome, upstream: number | undefined): number {
  if (upstream !== undefined && PASSED_ON.has(upstream)) return upstream;
  return outcome === "body_too_large" || outcome === "body_timeout"
    ? constants.NGHTTP2_CANCEL
    : constants.NGHTTP2_INTERNAL_ERROR;
}

/** How a client would have read the code of a reset (gRPC over HTTP/2, "Errors"). */
const GRPC_BY_RESET: Readonly<Record<number, number>> = {
  [constants.NGHTTP2_INTERNAL_ERROR]: GRPC.internal,
  [constants.NGHTTP2_PROTOCOL_ERROR]: GRPC.internal,
  [constants.NGHTTP2_CANCEL]: GRPC.canceled,
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: GRPC.resourceExhausted,
  [constants.NGHTTP2_INADEQUATE_SECURITY]: GRPC.permissionDenied,
};

/** What a gRPC client is told of a target's reset; `usual` where there was none, or its code says nothing more. */
export function grpcOfReset(code: number | undefined, usual: number): number {
  return code === undefined ? usual : (GRPC_BY_RESET[code] ?? usual);
}
