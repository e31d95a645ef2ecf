import type { Exchange } from "../exchange.ts";
import type { SentRequest, Tap } from "../tap.ts";
import { isPlain } from "./decode.ts";
import type { Observer } from "./observer.ts";

/** Bytes of one answer that are kept to be read. */
export const MOST_ANSWER = 256 * 1024;
/** The same for all answers together that are being collected or wait to be read. */
export const MOST_HELD = 16 * 1024 * 1024;

/** Why an answer with status 200 is not read. */
type Unread = "memory" | "too_large" | undefined;

/** Collects one answer, and has it read once its client has it. */
export class AnswerTap implements Tap {
  readonly exchange: Exchange;
  /** The request is to be sent to the shadow as well. */
  readonly copied: boolean;
  status = 0;
  type: string | undefined;
  coding: string | undefined;
  /** The first attempt at the assigned color gave this answer, so that it may be evidence. */
  first = false;
  unread: Unread;
  readonly #observer: Observer;
  #parts: Buffer[] = [];
  #held = 0;

  constructor(observer: Observer, exchange: Exchange, copied: boolean) {
    this.#observer = observer;
    this.exchange = exchange;
    this.copied = copied;
  }

  head(status: number, type: string | undefined, coding: string | undefined): void {
    this.status = status;
    this.type = type;
    this.coding = isPlain(coding) ? undefined : coding;
    this.first = this.exchange.onFirstAttempt;
  }

  part(bytes: Buffer, start: number, end: number): void {
    if (this.status !== 200 || this.unread !== undefined) return;
    const more = end - start;
    if (this.#held + more > MOST_ANSWER) return this.#giveUp("too_large");
    if (this.#observer.held + more > MOST_HELD) return this.#giveUp("memory");
    this.#held += more;
    this.#observer.held += more;
    const part = Buffer.allocUnsafeSlow(more); // the shared pool would hold eight times as much
    bytes.copy(part, 0, start, end);
    this.#parts.push(part);
  }

  end(request: SentRequest): void {
    this.#observer.answered(this, request);
  }

  /** The content, which is the caller's from now on; {@link close} no longer counts it. */
  take(): Buffer {
    const [first = Buffer.alloc(0)] = this.#parts;
    const whole = this.#parts.length > 1 ? Buffer.concat(this.#parts) : first;
    this.#parts = [];
    this.#held = 0;
    return whole;
  }

  close(): void {
    this.#observer.held -= this.#held;
    this.#held = 0;
    this.#parts = [];
  }

  #giveUp(why: Unread): void {
    this.unread = why;
    this.close();
  }
}
