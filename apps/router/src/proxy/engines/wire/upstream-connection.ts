import type { Outcome } from "../../../core/outcome.ts";
import type { Lease } from "../../../targets/target.ts";
import { failure } from "../failure.ts";
import { AnswerBody, MORE } from "./answer-body.ts";
import type { AnswerReader } from "./answer-reader.ts";
import { type ChunkSink, FAULT } from "./chunked.ts";
import { FIELD } from "./field-kind.ts";
import { type Head, INCOMPLETE } from "./head.ts";
import { HeadInput } from "./head-input.ts";
import { keepsAlive } from "./keep-alive.ts";
import { BODY, claimsBody, readFraming } from "./response-head.ts";
import { stopWaiting, type TimerQueue } from "./timers.ts";
import { UpstreamSocket } from "./upstream-socket.ts";

const IDLE = 0;
const WAITING = 1;
const BODY_STATE = 2;
const SWITCHED = 3;
const DEAD = 4;

/** One connection to a target, used by one exchange after another. */
export class UpstreamConnection extends UpstreamSocket implements ChunkSink {
  /** It has served before, so it may have been closed by the target in this very moment. */
  used = false;
  /** When it came to rest, on the plane's clock. */
  idleSince = 0;
  #reader: AnswerReader | undefined;
  #lease: Lease | undefined;
  #state = IDLE;
  #toHead = false;
  #switching = false;
  #bodySent = false;
  readonly #input = new HeadInput();
  readonly #body = new AnswerBody(this);
  #keepAlive = false;
  #lasting = false;

  get idle(): boolean {
    return this.#state === IDLE;
  }

  /** Begins an exchange. */
  begin(reader: AnswerReader, lease: Lease, toHead: boolean, switching: boolean): void {
    this.#reader = reader;
    this.#lease = lease;
    this.#toHead = toHead;
    this.#switching = switching;
    this.#bodySent = false;
    this.#lasting = false;
    this.#state = WAITING;
    if (this.connected) stopWaiting(this);
  }

  /** Somebody else reads the answer from now on. */
  adopt(reader: AnswerReader): void {
    this.#reader = reader;
  }

  /** The whole request is on its way: now it is the target's turn to speak. */
  requestSent(): void {
    this.#bodySent = true;
    if (this.connected && this.#state === WAITING) this.awaitHead();
  }

  /** The target takes no more of the request for now; it may be silent for as long as for an answer. */
  awaitDrain(): void {
    if (this.connected && this.#state === WAITING) this.awaitHead();
  }

  /** The exchange is given up; nothing that still comes is read. */
  destroy(): void {
    this.#reader = undefined;
    this.#die();
  }

  /**
   * The exchange has gone elsewhere. What was sent stays open, so that its first byte can clear the target, but no longer
   * than any answer may take.
   */
  abandon(): void {
    this.#reader = undefined;
    if (this.#state === WAITING && this.connected) this.awaitHead();
  }

  /** The answer that has begun may be silent for as long as it likes. */
  lasts(): void {
    this.#lasting = true;
  }

  /** The client reads more slowly than the target writes; the target's silence is ours then. */
  pause(): void {
    stopWaiting(this);
    this.socket.pause();
  }

  resume(): void {
    if (this.#state === BODY_STATE) this.#awaitBytes();
    this.socket.resume();
  }

  /** The answer was relayed whole, and so was the request. @returns whether the connection can serve again */
  release(): boolean {
    if (this.socket.isPaused()) this.socket.resume(); // its last part is still on its way to a slow client
    this.#reader = undefined;
    this.#lease = undefined;
    return this.#state === IDLE && this.#keepAlive && this.#bodySent && !this.socket.destroyed;
  }

  onTimeout(queue: TimerQueue): void {
    const { timers } = this.engine;
    if (queue === timers.pooled) return this.destroy();
    const outcome = queue === timers.connect ? "connect_timeout" : "response_timeout";
    this.#fail(this.#state === BODY_STATE ? "stream_timeout" : outcome);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#reader?.onBody(bytes, start, end);
  }

  #awaitBytes(): void {
    if (!this.#lasting) this.awaitBytes();
  }

  protected ready(): void {
    if (this.#lease) this.#lease.sentAt = this.engine.plane.now();
    if (this.#state === WAITING && (this.#bodySent || this.socket.writableNeedDrain)) this.awaitHead();
  }

  protected drained(): void {
    if (this.#state === WAITING && !this.#bodySent) stopWaiting(this);
    this.#reader?.onDrain();
  }

  protected read(chunk: Buffer): void {
    switch (this.#state) {
      case WAITING:
        return this.#readHead(chunk);
      case BODY_STATE:
        this.engine.plane.heard(this.#lease!);
        return this.#readBody(chunk, 0);
      case SWITCHED:
        return this.#reader?.onBody(chunk, 0, chunk.length);
      default:
        this.#die(); // bytes that nobody asked for would be taken for the next exchange's answer
    }
  }

  #readHead(chunk: Buffer): void {
    if (this.#lease!.linked) this.engine.plane.firstByte(this.#lease!);
    if (this.#reader === undefined) return this.#die(); // it came after the request had gone elsewhere
    const bytes = this.#input.take(chunk);
    let start = 0;
    while (this.#state === WAITING) {
      const end = this.#input.find(bytes, start, this.engine.answerHeader);
      if (end === INCOMPLETE) return;
      if (end < 0) return this.#fail("invalid_response");
      const { answerHead } = this.engine;
      const fault = answerHead.readResponse(bytes, start, end, this.engine.answerFields);
      if (fault !== undefined) return this.#fail("invalid_response");
      start = end;
      if (answerHead.status >= 200) return this.#finalHead(answerHead, bytes, start);
      if (!keepsAlive(answerHead) || claimsBody(answerHead)) return this.#fail("invalid_response");
      if (answerHead.status === 101) return this.#switched(answerHead, bytes, start);
      if (!this.#reader.onInterim(answerHead)) return this.#fail("invalid_response");
      if (start === bytes.length) return;
    }
  }

  #switched(head: Head, bytes: Buffer, at: number): void {
    if (!this.#switching || !head.has(FIELD.upgrade)) return this.#fail("invalid_response");
    stopWaiting(this);
    this.#state = SWITCHED;
    this.#reader?.onSwitched(head, bytes, at);
  }

  #finalHead(head: Head, bytes: Buffer, at: number): void {
    const { framing } = this.#body;
    readFraming(head, this.#toHead, framing);
    if (framing.fault !== undefined) return this.#fail("invalid_response");
    this.#keepAlive = framing.kind !== BODY.untilClose && keepsAlive(head);
    this.#body.begin();
    this.#state = BODY_STATE;
    stopWaiting(this);
    this.#reader?.onHead(head, framing, bytes, at);
    if (this.#state === BODY_STATE) this.#readBody(bytes, at);
  }

  /** The reader has taken the whole body itself, out of what came with the head. */
  bodyTaken(rest: Buffer, at: number): void {
    this.#complete(rest, at);
  }

  #readBody(bytes: Buffer, at: number): void {
    const body = this.#body;
    if (body.framing.kind !== BODY.none) this.#awaitBytes();
    const end = body.read(bytes, at);
    if (this.#state !== BODY_STATE || end === MORE) return;
    if (end === FAULT) return this.#fail("truncated");
    this.#end(bytes, end, body.trailer);
  }

  #end(bytes: Buffer, at: number, trailer: string): void {
    const reader = this.#reader;
    this.#complete(bytes, at);
    reader?.onEnd(trailer);
  }

  /** Bytes after the end of an answer are dropped, and the connection with them (RFC 9112 section 9.2). */
  #complete(bytes: Buffer, at: number): void {
    stopWaiting(this);
    this.#state = IDLE;
    this.#body.drop();
    this.reads.small();
    if (at < bytes.length) this.#keepAlive = false;
  }

  /** The target has closed its half. Only a body that lasts until then is complete by it. */
  protected ended(): void {
    if (this.#state === SWITCHED) return this.#reader?.onEnd("");
    if (this.#state === BODY_STATE && this.#body.framing.kind === BODY.untilClose) {
      const reader = this.#reader;
      this.#complete(EMPTY, 0);
      reader?.onEnd("\r\n");
      this.#die();
    } else this.broken(undefined);
  }

  protected broken(error: NodeJS.ErrnoException | undefined): void {
    if (this.#state === BODY_STATE) return this.#fail("truncated");
    if (this.#state === SWITCHED) return this.#fail("answered");
    this.#fail(failure(error, this.connected));
  }

  #fail(outcome: Outcome): void {
    if (this.#state === DEAD) return;
    const reader = this.#state === IDLE ? undefined : this.#reader;
    if (outcome === "reset" && this.#isStale() && reader?.mayResend()) {
      this.#lease = undefined;
      this.destroy();
      reader.onStale();
      return;
    }
    this.destroy();
    reader?.onFailed(outcome);
  }

  /** A kept connection that ended without a byte: most likely the target closed it while we wrote. */
  #isStale(): boolean {
    return this.used && this.#state === WAITING && !this.#input.begun && this.#lease?.linked === true;
  }

  #die(): void {
    if (this.#state === DEAD) return;
    this.#state = DEAD;
    stopWaiting(this);
    this.#input.clear();
    this.#lease?.release();
    this.engine.pool.forget(this);
    this.socket.destroy();
  }
}

const EMPTY = Buffer.alloc(0);
