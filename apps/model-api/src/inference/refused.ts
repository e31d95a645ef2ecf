import { Code } from "@connectrpc/connect";

/** Why a call of the Open Inference Protocol is refused: its HTTP status, its gRPC status. */
const KINDS = {
  /** The request itself is wrong. */
  invalid: { status: 400, code: Code.InvalidArgument },
  /** No such model or version here. */
  unknown: { status: 404, code: Code.NotFound },
  /** No model is loaded. */
  not_ready: { status: 503, code: Code.Unavailable },
  /** A part of the protocol that is not served. */
  unsupported: { status: 501, code: Code.Unimplemented },
} as const;

export type Kind = keyof typeof KINDS;

/** A refusal. The message is for the client: what was wrong with this very request, and what was expected. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly kind: Kind;

  constructor(kind: Kind, message: string) {
    super(message);
    this.kind = kind;
  }

  get status(): 400 | 404 | 501 | 503 {
    return KINDS[this.kind].status;
  }

  get code(): Code {
    return KINDS[this.kind].code;
  }
}

/** Shortens what a client sent for a message about it: it may be of any length. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 32 ? `${text.slice(0, 32)}…` : text);
}
