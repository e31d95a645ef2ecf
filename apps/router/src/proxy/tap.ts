import type { Field } from "../core/forwarding.ts";
import type { Exchange } from "./exchange.ts";

/** A request as its target got it, for whoever sends it again. */
export interface SentRequest {
  /** The whole body as it was kept for a repetition; undefined where it was not kept whole. Not good after the call. */
  readonly body: readonly Buffer[] | undefined;
  /** All fields that the target got, `Host` first. Worked out when it is asked for, also later. */
  readonly fields: () => readonly Field[];
}

/**
 * Looks on while one request is answered, and never changes what its client gets. An engine calls {@link head} when it
 * relays an answer's head, {@link part} for each part of the body, and {@link end} once the whole answer has been handed
 * to the client's socket, before it lets go of the kept body. An answer of the router's own, a switch of protocols, and
 * an answer that broke off have no {@link end}. {@link close} is the exchange's to call.
 */
export interface Tap {
  /**
   * The head of the answer that the client gets.
   * @param type its Content-Type
   * @param coding its Content-Encoding
   */
  head(status: number, type: string | undefined, coding: string | undefined): void;
  /** A part of the answer's content, without its framing. The bytes are only good during the call. */
  part(bytes: Buffer, start: number, end: number): void;
  end(request: SentRequest): void;
  /** The request is over: what was kept of it and not handed on goes. */
  close(): void;
}

/** Who wants to look at requests. */
export interface Taps {
  /** Undefined where nobody wants to look at this one. Called once, when it has its color. @param now milliseconds on the plane's clock */
  open(exchange: Exchange, now: number): Tap | undefined;
}
