import type { Exchange } from "../exchange.ts";
import type { SentRequest, Tap } from "../tap.ts";
import { isPlain } from "./decode.ts";
import { Gathered } from "./gathered.ts";
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
  readonly #counts: boolean;
  status = 0;
  type: string | undefined;
  coding: string | undefined;
  /** The first attempt at the assigned color gave this answer, so that it may be evidence. */
  first = false;
  unread: Unread;
  readonly #observer: Observer;
  #content: Gathered | undefined = new Gathered();

  /** @param how `counts`: it would be read if it were not copied, too, so that it may be evidence */
  constructor(
    observer: Observer,
    exchange: Exchange,
    how: { readonly copied: boolean; readonly counts: boolean },
  ) {
    this.#observer = observer;
    this.exchange = exchange;
    this.copied = how.copied;
    this.#counts = how.counts;
  }

  head(status: number, type: string | undefined, coding: string | undefined): void {
    this.status = status;
    this.type = type;
    this.coding = isPlain(coding) ? undefined : coding;
    this.first = this.#counts && this.exchange.onFirstAttempt;
  }

  part(bytes: Buffer, start: number, end: number): void {
    const content = this.#content;
    if (this.status !== 200 || content === undefined) return;
    const more = end - start;
    if (content.length + more > MOST_ANSWER) return this.#giveUp("too_large");
    if (this.#observer.held + more > MOST_HELD) return this.#giveUp("memory");
    const { held } = content;
    content.add(bytes, start, end);
    this.#observer.held += content.held - held;
  }

  end(request: SentRequest): void {
    this.#observer.answered(this, request);
  }

  /** The content, which is the caller's from now on, as is what the observer holds for it. Once, where nothing is {@link unread}. */
  take(): Gathered {
    const content = this.#content!;
    this.#content = undefined;
    this.#observer.held -= content.held - content.length;
    content.trim();
    return content;
  }

  close(): void {
    this.#observer.held -= this.#content?.held ?? 0;
    this.#content = undefined;
  }

  #giveUp(why: Unread): void {
    this.unread = why;
    this.close();
  }
}
