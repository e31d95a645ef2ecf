import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import type { Outcome } from "../../core/outcome.ts";
import type { DataPlane } from "../data-plane.ts";
import type { Exchange } from "../exchange.ts";

/** Where a body comes from. */
export interface BodySource {
  readonly readable: Readable;
  readonly hasBody: boolean;
  /** What `Content-Length` says, 0 where there is none. */
  readonly length: number;
  /** Asked at its end: false where it broke off, and somebody else will say so. Default: it is whole */
  isWhole?(): boolean;
}

/** Who gets it: a request to a target. */
export interface BodySink {
  readonly destroyed: boolean;
  /** @returns false when it takes no more for now, until `drain` */
  write(chunk: Buffer): boolean;
  end(): void;
  once(event: "drain", listener: () => void): unknown;
}

export interface BodyEvents {
  /** The client has been told to go on, or need not be: its body is wanted now. Called once. */
  wanted(): void;
  /** The whole body has been handed to the attempt under way. */
  sent(): void;
  /** The body is too large, too slow, or not taken by the upstream. Called at most once. */
  fault(outcome: Outcome): void;
}

/**
 * A request's body between the client and whichever attempt is under way. What has arrived stays in a buffer while it
 * fits, so that the next attempt gets the whole body; past that it streams through, and the request cannot be repeated.
 */
export class RequestBody {
  readonly #plane: DataPlane;
  readonly #exchange: Exchange;
  readonly #source: BodySource;
  readonly #events: BodyEvents;
  #chunks: Buffer[] = [];
  #kept = 0;
  #received = 0;
  #complete: boolean;
  #wanted = false;
  #answered = false;
  #done = false;
  #sink: BodySink | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(plane: DataPlane, exchange: Exchange, source: BodySource, events: BodyEvents) {
    this.#plane = plane;
    this.#exchange = exchange;
    this.#source = source;
    this.#events = events;
    this.#complete = !source.hasBody;
    if (this.#complete) return;
    if (source.length > plane.config.retry.buffer) exchange.bodyKept = false;
    this.#listen();
  }

  /** The whole body has arrived. */
  get complete(): boolean {
    return this.#complete;
  }

  /** The whole body as it was kept; undefined where it was not. */
  get whole(): readonly Buffer[] | undefined {
    return this.#complete && this.#exchange.bodyKept ? this.#chunks : undefined;
  }

  /** What http-proxy calls on its `buffer`: makes `sink` the one that gets the body, from its first byte. */
  pipe(sink: BodySink): void {
    this.#sink = sink;
    for (const chunk of this.#chunks) sink.write(chunk);
    if (this.#complete) this.#endSink();
    else this.#read();
  }

  /** No attempt takes the body for now. */
  detach(): void {
    this.#sink = undefined;
    clearTimeout(this.#timer);
    if (!this.#complete) this.#source.readable.pause();
  }

  /** An answer has come before the end of the body: the rest is passed on, but nobody waits for it. */
  answered(): void {
    this.#answered = true;
    clearTimeout(this.#timer);
    this.#drop();
    this.#exchange.bodyKept = false;
  }

  /** The request has been answered or given up: what still comes is thrown away. */
  end(): void {
    this.#done = true;
    clearTimeout(this.#timer);
    this.#sink = undefined;
    this.#drop();
    if (!this.#complete) this.#source.readable.resume();
  }

  #listen(): void {
    this.#source.readable.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#source.readable.on("end", () => this.#finish());
    this.#source.readable.pause();
  }

  #read(): void {
    if (!this.#wanted) this.#events.wanted();
    this.#wanted = true;
    this.#arm("body_timeout", this.#plane.config.timeouts.client_body);
    this.#source.readable.resume();
  }

  #take(chunk: Buffer): void {
    if (this.#done) return;
    this.#received += chunk.length;
    if (this.#received > this.#plane.config.limits.body) {
      this.#fail("body_too_large");
      return;
    }
    this.#keep(chunk);
    const sink = this.#sink;
    if (!sink || sink.destroyed || sink.write(chunk)) {
      this.#timer?.refresh();
      return;
    }
    this.#source.readable.pause();
    this.#arm("response_timeout", this.#plane.config.timeouts.response_header);
    sink.once("drain", () => {
      if (this.#sink === sink && !this.#complete) this.#read();
    });
  }

  #keep(chunk: Buffer): void {
    if (!this.#exchange.bodyKept) return;
    const { buffer, buffer_total } = this.#plane.config.retry;
    if (this.#kept + chunk.length > buffer || this.#plane.buffered + chunk.length > buffer_total) {
      this.#exchange.bodyKept = false;
      this.#drop();
      return;
    }
    this.#chunks.push(chunk);
    this.#kept += chunk.length;
    this.#plane.buffered += chunk.length;
  }

  #drop(): void {
    this.#plane.buffered -= this.#kept;
    this.#kept = 0;
    this.#chunks = [];
  }

  #finish(): void {
    if (this.#done || this.#source.isWhole?.() === false) return;
    this.#complete = true;
    clearTimeout(this.#timer);
    this.#endSink();
  }

  #endSink(): void {
    if (!this.#sink) return;
    this.#sink.end();
    this.#events.sent();
  }

  /** Once there is an answer, its own time-out watches over both sides. */
  #arm(outcome: Outcome, after: number): void {
    clearTimeout(this.#timer);
    if (!this.#answered) this.#timer = setTimeout(() => this.#fail(outcome), after);
  }

  #fail(outcome: Outcome): void {
    this.#done = true;
    clearTimeout(this.#timer);
    this.#events.fault(outcome);
  }
}

/** The body of a request of HTTP/1.1. */
export function bodyOf(request: IncomingMessage): BodySource {
  const length = Number(request.headers["content-length"] ?? 0);
  return { readable: request, hasBody: hasBody(request), length };
}

/** RFC 9112 section 6: a request has a body exactly if it has Content-Length or Transfer-Encoding. */
export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers["content-length"];
  return (length !== undefined && Number(length) !== 0) || request.headers["transfer-encoding"] !== undefined;
}
