import type { Outcome } from "../../core/outcome.ts";
import { refusedUs, tlsFault } from "../../targets/dialer.ts";

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EADDRNOTAVAIL",
  "ETIMEDOUT",
  "EMFILE",
  "ENFILE",
]);

/** An ending that is known, told through a socket. */
export class UpstreamFault extends Error {
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super(outcome);
    this.outcome = outcome;
  }
}

/** Which ending an error before the answer's head is. */
export function failure(error: NodeJS.ErrnoException | undefined, connected: boolean): Outcome {
  if (error instanceof UpstreamFault) return error.outcome;
  const code = error?.code ?? "";
  if (code === "HPE_INVALID_EOF_STATE") return "reset"; // it closed in the middle of its head
  if (code.startsWith("HPE_")) return "invalid_response";
  if (refusedUs(error) || (!connected && tlsFault(error) !== undefined)) return "tls_failed";
  if (!connected || UNREACHABLE.has(code)) return "connect_failed";
  return "reset";
}
