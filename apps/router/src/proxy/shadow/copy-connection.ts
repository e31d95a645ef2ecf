import type { Socket } from "node:net";
import { type Dialer, readyEvent } from "../../targets/dialer.ts";
import type { Target } from "../../targets/target.ts";
import type { Gathered } from "../answers/gathered.ts";
import { failure } from "../engines/failure.ts";
import { AnswerBody, MORE } from "../engines/wire/answer-body.ts";
import { type ChunkSink, FAULT } from "../engines/wire/chunked.ts";
import { type Head, INCOMPLETE } from "../engines/wire/head.ts";
import { HeadInput } from "../engines/wire/head-input.ts";
import { keepsAlive } from "../engines/wire/keep-alive.ts";
import { Reads } from "../engines/wire/reads.ts";
import { BODY, claimsBody, readFraming } from "../engines/wire/response-head.ts";

/** Bounds on an answer's head: bytes, fields, and interim heads before it. */
const MOST_HEAD = 64 * 1024;
const MOST_FIELDS = 500;
const MOST_INTERIM = 100;
/** A body this small goes out in one write with its head, as text. */
const SMALL = 16 * 1024;

/** Who waits for an answer. All calls come from the socket's own events. */
export interface CopyReader {
  /** The final head; good during the call. */
  onHead(head: Head): void;
  /** A part of the content; the bytes are good during the call. */
  onBody(bytes: Buffer, start: number, end: number): void;
  onEnd(): void;
  /**
   * There is no whole answer. @param outcome `connect`: nor was there a connection, or none inside TLS that both agree on
   * @param stale it was one that had served before, and ended without a byte: most likely the
   * target closed it while it was written to
   */
  onFailed(outcome: "connect" | "reset", stale: boolean): void;
}

/** What the connections of one pool share: what is read is used up before the next is. */
export interface Shared {
  readonly dialer: Dialer;
  readonly head: Head;
  readonly readBuffer: Buffer;
  /** A connection has died. */
  forget(connection: CopyConnection): void;
}

/** A connection to a shadow's target, used by one copy after another. Reads answers as strictly as the engine `wire` does (RFC 9112). */
export class CopyConnection implements ChunkSink {
  readonly target: Target;
  /** When it came to rest, in milliseconds of `performance.now()`. */
  idleSince = 0;
  readonly #shared: Shared;
  readonly #socket: Socket;
  readonly #reads: Reads;
  readonly #input = new HeadInput();
  readonly #body = new AnswerBody(this);
  #reader: CopyReader | undefined;
  #connected = false;
  #dead = false;
  #served = false;
  #inBody = false;
  /** Heads of the answer so far, and whether a byte of it has come. */
  #heads = 0;
  #heard = false;
  #keeps = false;

  constructor(shared: Shared, target: Target) {
    this.target = target;
    this.#shared = shared;
    const read = (bytes: Buffer) => this.#read(bytes);
    this.#reads = new Reads(shared.readBuffer, read);
    const socket = shared.dialer.dial(target, { allowHalfOpen: true, onread: this.#reads.onread });
    this.#socket = socket;
    socket.once(readyEvent(socket), () => {
      this.#connected = true;
    });
    socket.on("data", read); // also keeps the end of the stream coming
    socket.on("end", () => this.#ended());
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail());
  }

  /** Sends a request and reads its answer. @param head with its empty line, as latin1 */
  send(reader: CopyReader, head: string, body: Gathered): void {
    this.#reader = reader;
    this.#inBody = false;
    this.#heads = 0;
    this.#heard = false;
    const socket = this.#socket;
    if (body.length <= SMALL) {
      socket.write(head + body.latin1(), "latin1");
      return;
    }
    socket.cork();
    socket.write(head, "latin1");
    socket.write(body.bytes());
    socket.uncork();
  }

  /** Whatever is under way is given up, and its reader is not told. */
  destroy(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#reader = undefined;
    this.#input.clear();
    this.#shared.forget(this);
    this.#socket.destroy();
  }

  /** The answer has been read whole. @returns whether the connection can serve again */
  get reusable(): boolean {
    return this.#keeps && !this.#dead && this.#socket.writableLength === 0;
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#reader?.onBody(bytes, start, end);
  }

  #read(chunk: Buffer): void {
    if (this.#reader === undefined) return this.destroy(); // nobody asked for it
    this.#heard = true;
    if (this.#inBody) this.#readBody(chunk, 0);
    else this.#readHead(chunk);
  }

  #readHead(chunk: Buffer): void {
    const { head } = this.#shared;
    const bytes = this.#input.take(chunk);
    for (let at = 0; ; ) {
      const end = this.#input.find(bytes, at, MOST_HEAD);
      if (end === INCOMPLETE) return;
      const isRead = end > 0 && head.readResponse(bytes, at, end, MOST_FIELDS) === undefined;
      if (!isRead || ++this.#heads > MOST_INTERIM) return this.#fail();
      if (head.status >= 200) return this.#finalHead(head, bytes, end);
      if (head.status === 101 || claimsBody(head)) return this.#fail();
      at = end;
    }
  }

  #finalHead(head: Head, bytes: Buffer, at: number): void {
    const { framing } = this.#body;
    readFraming(head, false, framing);
    if (framing.fault !== undefined) return this.#fail();
    this.#keeps = framing.kind !== BODY.untilClose && keepsAlive(head);
    this.#body.begin();
    this.#inBody = true;
    this.#reader!.onHead(head);
    this.#readBody(bytes, at);
  }

  #readBody(bytes: Buffer, at: number): void {
    const end = this.#body.read(bytes, at);
    if (this.#dead || end === MORE) return; // its reader may have had enough
    if (end === FAULT) return this.#fail();
    if (end < bytes.length) this.#keeps = false; // bytes after the end of an answer are nobody's (RFC 9112 section 9.2)
    this.#complete();
  }

  #complete(): void {
    const reader = this.#reader!;
    this.#reader = undefined;
    this.#served = true;
    this.#body.drop();
    this.#reads.small();
    reader.onEnd();
  }

  /** The target has closed its half. Only a body that lasts until then is complete by it. */
  #ended(): void {
    const isWhole = this.#inBody && this.#body.framing.kind === BODY.untilClose;
    if (this.#reader !== undefined && isWhole) this.#complete();
    this.#fail();
  }

  #fail(error?: NodeJS.ErrnoException): void {
    const reader = this.#reader;
    const isStale = this.#served && !this.#heard;
    this.destroy();
    const ending = error || !this.#connected ? failure(error, this.#connected) : "reset";
    reader?.onFailed(ending === "connect_failed" || ending === "tls_failed" ? "connect" : "reset", isStale);
  }
}
