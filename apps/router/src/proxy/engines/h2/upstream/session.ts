import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import type { Socket } from "node:net";
import { agreedOnHttp2 } from "../../../../targets/http2-question.ts";
import type { Target } from "../../../../targets/target.ts";
import { UpstreamFault } from "../../failure.ts";

/** Streams on one connection to a target, whatever it allows: one connection is one core's work at either end. */
const MOST_STREAMS = 250;
/** What a server is taken to allow until it has said so (RFC 9113 section 6.5.2). */
const FIRST_STREAMS = 100;
/** Bytes of all answers together that may be under way. A stream's own window bounds what is kept of a slow one. */
const CONNECTION_WINDOW = 1024 * 1024;
const OPTIONS = {
  settings: { enablePush: false, initialWindowSize: 256 * 1024, maxHeaderListSize: 64 * 1024 },
  /** Fields of an answer, as for HTTP/1.1. */
  maxHeaderListPairs: 500,
  strictSingleValueFields: false,
};
/** An idle connection is closed after this time, in milliseconds. */
const IDLE = 30_000;
/** How often connections are looked at, and how long an asked target may be silent before its connection counts as dead. */
const LOOK = 5_000;
/** Servers of gRPC end connections that ask more often than this while they have nothing to say. */
const NEXT_PING = 300_000;

export interface SessionOptions {
  /** That the target will allow, as far as is known. */
  readonly streams: number | undefined;
  readonly connectTimeout: number;
  /** The target is still one of its color's. */
  isWanted(): boolean;
  /** The target has said how many streams it allows. */
  onAllowed(streams: number): void;
  onGone(): void;
}

/** One HTTP/2 connection to a target. */
export class UpstreamSession {
  readonly target: Target;
  readonly http2: ClientHttp2Session;
  connected = false;
  /** It took too long to connect. */
  late = false;
  /** It has served before, so it may have been closed by the target in this very moment. */
  used = false;
  /** What went wrong with the connection itself. */
  error: NodeJS.ErrnoException | undefined;
  /** Streams above this number were not looked at (RFC 9113 section 6.8). */
  lastProcessed = Number.POSITIVE_INFINITY;
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #looking: NodeJS.Timeout;
  #streams = 0;
  #allowed: number;
  #leaving = false;
  #idleSince = performance.now();
  #bytesRead = 0;
  #pingedAt = Number.NEGATIVE_INFINITY;

  /** @param socket that is being connected */
  constructor(target: Target, socket: Socket, options: SessionOptions) {
    this.target = target;
    this.#socket = socket;
    this.#options = options;
    this.#allowed = options.streams ?? FIRST_STREAMS;
    this.http2 = connect(`http://${target.authority}`, {
      ...OPTIONS,
      createConnection: () => socket,
    });
    this.#timer = setTimeout(() => this.#tooLate(), options.connectTimeout);
    this.#looking = setInterval(() => this.#look(), LOOK).unref();
    this.#listen();
  }

  /** Another stream may be opened here. */
  get hasRoom(): boolean {
    if (this.#leaving || this.http2.closed || this.http2.destroyed) return false;
    return this.#streams < Math.min(this.#allowed, MOST_STREAMS);
  }

  /** Opens a stream. @throws where the connection has gone in this very moment */
  open(headers: readonly string[], ended: boolean): ClientHttp2Stream {
    const stream = this.http2.request(headers, { endStream: ended, waitForTrailers: !ended });
    this.#streams++;
    stream.once("close", () => this.#closed());
    return stream;
  }

  destroy(): void {
    this.#leaving = true;
    this.http2.destroy();
    this.#socket.destroy();
  }

  #listen(): void {
    const { http2 } = this;
    http2.once("connect", () => {
      if (!agreedOnHttp2(this.#socket)) return this.#refuse();
      this.connected = true;
      clearTimeout(this.#timer);
      http2.setLocalWindowSize(CONNECTION_WINDOW);
    });
    http2.on("remoteSettings", ({ maxConcurrentStreams = MOST_STREAMS }) => {
      this.#allowed = maxConcurrentStreams;
      this.#options.onAllowed(maxConcurrentStreams);
    });
    http2.on("error", (error) => {
      this.error ??= error;
    });
    http2.on("goaway", (_code, last) => {
      this.#leaving = true;
      this.lastProcessed = last;
    });
    http2.once("close", () => this.#gone());
  }

  #gone(): void {
    this.#leaving = true;
    clearTimeout(this.#timer);
    clearInterval(this.#looking);
    this.#options.onGone();
  }

  #closed(): void {
    this.#streams--;
    this.used = true;
    this.#idleSince = performance.now();
    if (this.#streams === 0 && (this.#leaving || !this.#options.isWanted())) this.#leave();
  }

  /** No stream is open: tells the target, and goes. Node leaves a session open that was told to go away itself. */
  #leave(): void {
    this.#leaving = true;
    setImmediate(() => {
      if (!this.http2.destroyed) this.http2.destroy();
    });
  }

  #refuse(): void {
    this.error = new UpstreamFault("tls_failed");
    this.destroy();
  }

  #tooLate(): void {
    this.late = true;
    this.destroy();
  }

  #look(): void {
    const now = performance.now();
    const { bytesRead } = this.#socket;
    const silent = bytesRead === this.#bytesRead;
    this.#bytesRead = bytesRead;
    if (this.#streams === 0) {
      if (now - this.#idleSince > IDLE || !this.#options.isWanted()) this.#leave();
    } else if (silent && this.connected && now - this.#pingedAt > NEXT_PING) this.#ping(now);
  }

  /** A target that does not answer is dead, or its machine is. */
  #ping(now: number): void {
    if (this.http2.destroyed) return;
    this.#pingedAt = now;
    const dead = setTimeout(() => this.destroy(), LOOK);
    this.http2.ping(() => clearTimeout(dead));
  }
}
