import { constants } from "node:http2";
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
