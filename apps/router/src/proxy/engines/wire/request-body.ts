import type { DataPlane } from "../../data-plane.ts";
import type { Exchange } from "../../exchange.ts";
import { ChunkDecoder, type ChunkSink, FAULT } from "./chunked.ts";
import type { BodyFraming } from "./request-head.ts";
import { relayTrailer } from "./response-head.ts";

/** Who gets a request's body as it comes. */
export interface BodySink {
  /** A piece of the content. */
  onPiece(piece: Buffer): void;
  onBodyEnd(trailer: string): void;
  /** `bad_request` where the framing is broken, `body_too_large` past `limits.body`. */
  onBodyFault(outcome: "bad_request" | "body_too_large"): void;
}

/** What a transaction needs of its request's body, whether there is one or not. */
export interface AnyBody {
  readonly framing: BodyFraming;
  readonly complete: boolean;
  /** The trailer section as it goes on, once the body is complete. */
  readonly trailer: string;
  /** What a new attempt gets first. */
  readonly kept: readonly Buffer[];
  /** Reads on. @returns the index of the first byte that does not belong to the body */
  read(bytes: Buffer, at: number): number;
  /** A target has got what there is; what cannot be kept for another one goes. */
  sent(): void;
  /** Nobody will need what was kept. */
  drop(): void;
}

/** The body of a request that has none. */
export const NO_BODY: AnyBody = {
  framing: "none",
  complete: true,
  trailer: "\r\n",
  kept: [],
  read: (_bytes, at) => at,
  sent: () => {},
  drop: () => {},
};

/** Bytes that a trailer section may have. */
const MOST_TRAILER = 8192;
/** Kept pieces below this size are copied together, so that they cost about as many bytes as they count. */
const SMALL_PIECE = 4096;

/**
 * A request's body: takes its framing off and checks it, and keeps what has arrived while it fits, so that the next
 * attempt gets the whole of it. Past that it streams through, and the request cannot be repeated.
 */
export class RequestBody implements AnyBody, ChunkSink {
  readonly framing: BodyFraming;
  complete: boolean;
  /** The trailer section as it goes on, once the body is complete. */
  trailer = "\r\n";
  /** What a new attempt gets first. */
  readonly kept: Buffer[] = [];
  readonly #plane: DataPlane;
  readonly #exchange: Exchange;
  readonly #sink: BodySink;
  readonly #chunks: ChunkDecoder | undefined;
  #rest: number;
  #keptBytes = 0;
  #received = 0;
  #over = false;
  #sent = false;
  /** The last kept piece may be the beginning of this one. */
  #tail: Buffer | undefined;
  /** What chunks have brought in the bytes being read. */
  #from = 0;
  #to = 0;

  /** @param length of the content, where the framing is `length`. */
  constructor(plane: DataPlane, exchange: Exchange, framing: BodyFraming, length: number, sink: BodySink) {
    this.#plane = plane;
    this.#exchange = exchange;
    this.#sink = sink;
    this.framing = framing;
    this.#rest = length;
    this.complete = framing === "none" || (framing === "length" && length === 0);
    this.#chunks = framing === "chunked" ? new ChunkDecoder(this, MOST_TRAILER) : undefined;
    if (framing === "length" && length > plane.config.retry.buffer) exchange.bodyKept = false;
  }

  /** Reads on. @returns the index of the first byte that does not belong to the body */
  read(bytes: Buffer, at: number): number {
    if (this.#chunks !== undefined) return this.#readChunks(this.#chunks, bytes, at);
    const end = Math.min(bytes.length, at + this.#rest);
    this.#rest -= end - at;
    if (this.#rest === 0) this.complete = true;
    if (end > at && this.#fits(end - at)) this.#take(bytes.subarray(at, end));
    if (this.complete && !this.#over) this.#sink.onBodyEnd(this.trailer);
    return end;
  }

  /** Moves the content of many chunks together, where their framing was: it goes on as one piece. */
  onData(bytes: Buffer, start: number, end: number): void {
    if (this.#over || !this.#fits(end - start)) return;
    if (this.#from === this.#to) this.#from = this.#to = start;
    if (this.#to < start) bytes.copyWithin(this.#to, start, end);
    this.#to += end - start;
  }

  sent(): void {
    this.#sent = true;
    if (!this.#exchange.bodyKept) this.drop();
  }

  /** Nobody will need what was kept. */
  drop(): void {
    this.#plane.buffered -= this.#keptBytes;
    this.#keptBytes = 0;
    this.kept.length = 0;
    this.#tail = undefined;
  }

  #readChunks(chunks: ChunkDecoder, bytes: Buffer, at: number): number {
    this.#from = this.#to = at;
    const after = chunks.read(bytes, at, bytes.length);
    if (this.#over) return bytes.length;
    const trailer = after !== FAULT && chunks.done ? relayTrailer(chunks.trailer) : "";
    if (after === FAULT || trailer === undefined) {
      this.#over = true;
      this.#sink.onBodyFault("bad_request");
      return bytes.length;
    }
    if (this.#to > this.#from) this.#take(bytes.subarray(this.#from, this.#to));
    if (chunks.done) {
      this.complete = true;
      this.trailer = trailer;
      this.#sink.onBodyEnd(this.trailer);
    }
    return after;
  }

  #fits(bytes: number): boolean {
    this.#received += bytes;
    if (this.#received <= this.#plane.config.limits.body) return true;
    this.#over = true;
    this.#sink.onBodyFault("body_too_large");
    return false;
  }

  #take(piece: Buffer): void {
    this.#keep(piece);
    this.#sink.onPiece(piece);
  }

  /** Keeps a piece for further attempts, as far as it may, and in any case until there has been one. */
  #keep(piece: Buffer): void {
    const { buffer, buffer_total } = this.#plane.config.retry;
    const fits =
      this.#keptBytes + piece.length <= buffer && this.#plane.buffered + piece.length <= buffer_total;
    if (!fits) this.#exchange.bodyKept = false;
    if (!this.#exchange.bodyKept && this.#sent) return this.drop();
    this.#store(piece);
    this.#keptBytes += piece.length;
    this.#plane.buffered += piece.length;
  }

  #store(piece: Buffer): void {
    const { kept } = this;
    if (kept.length === 0 || piece.length >= SMALL_PIECE) {
      kept.push(Buffer.from(piece));
      this.#tail = undefined;
      return;
    }
    let used = this.#tail === undefined ? 0 : kept.at(-1)!.length;
    if (this.#tail === undefined || used + piece.length > SMALL_PIECE) {
      this.#tail = Buffer.allocUnsafeSlow(SMALL_PIECE);
      kept.push(this.#tail);
      used = 0;
    }
    piece.copy(this.#tail, used);
    kept[kept.length - 1] = this.#tail.subarray(0, used + piece.length);
  }
}
