import type { IncomingMessage } from "node:http";
import type { Writable } from "node:stream";
import type { Outcome } from "../../../core/outcome.ts";
import type { DataPlane } from "../../data-plane.ts";
import type { Exchange } from "../../exchange.ts";

/**
 * A request's body between the client and whichever attempt is under way. What has arrived stays in a buffer while it
 * fits, so that the next attempt gets the whole body; past that it streams through, and the request cannot be repeated.
 */
export class RequestBody {
  readonly #plane: DataPlane;
  readonly #exchange: Exchange;
  readonly #request: IncomingMessage;
  readonly #fault: (outcome: Outcome) => void;
  #chunks: Buffer[] = [];
  #kept = 0;
  #received = 0;
  #complete = false;
  #sink: Writable | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param fault called at most once, when the body is too large, too slow, or broken. */
  constructor(
    plane: DataPlane,
    exchange: Exchange,
    request: IncomingMessage,
    fault: (outcome: Outcome) => void,
  ) {
    this.#plane = plane;
    this.#exchange = exchange;
    this.#request = request;
    this.#fault = fault;
    this.#complete = !hasBody(request);
    if (!this.#complete) this.#listen();
  }

  /** The whole body has arrived. */
  get complete(): boolean {
    return this.#complete;
  }

  /** What http-proxy calls on its `buffer`: makes `sink` the one that gets the body, from its first byte. */
  pipe(sink: Writable): void {
    if (this.#complete && this.#chunks.length === 0) {
      sink.end();
      return;
    }
    this.#sink = sink;
    for (const chunk of this.#chunks) sink.write(chunk);
    if (this.#complete) sink.end();
    else this.#request.resume();
  }

  /** No attempt takes the body for now. */
  detach(): void {
    this.#sink = undefined;
    if (!this.#complete) this.#request.pause();
  }

  /** The request has been answered or given up: what still comes is thrown away. */
  end(): void {
    clearTimeout(this.#timer);
    this.#sink = undefined;
    this.#drop();
    if (!this.#complete) {
      this.#request.removeAllListeners("data");
      this.#request.resume();
    }
  }

  #listen(): void {
    const { client_body } = this.#plane.config.timeouts;
    this.#timer = setTimeout(() => this.#fail("body_timeout"), client_body);
    this.#request.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#request.on("end", () => this.#finish());
    this.#request.pause();
  }

  #take(chunk: Buffer): void {
    this.#timer?.refresh();
    this.#received += chunk.length;
    if (this.#received > this.#plane.config.limits.body) {
      this.#fail("body_too_large");
      return;
    }
    this.#keep(chunk);
    const sink = this.#sink;
    if (!sink || sink.destroyed || sink.write(chunk)) return;
    this.#request.pause();
    clearTimeout(this.#timer); // it is the upstream that is slow now
    sink.once("drain", () => {
      if (this.#sink !== sink || this.#complete) return;
      this.#timer?.refresh();
      this.#request.resume();
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
    this.#complete = true;
    clearTimeout(this.#timer);
    this.#sink?.end();
  }

  #fail(outcome: Outcome): void {
    clearTimeout(this.#timer);
    this.#request.removeAllListeners("data");
    this.#fault(outcome);
  }
}

/** RFC 9112 section 6: a request has a body exactly if it has Content-Length or Transfer-Encoding. */
export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers["content-length"];
  return (length !== undefined && length !== "0") || request.headers["transfer-encoding"] !== undefined;
}
