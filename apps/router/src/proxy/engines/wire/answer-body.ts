import { ChunkDecoder, type ChunkSink, FAULT } from "./chunked.ts";
import { type AnswerFraming, BODY, relayTrailer } from "./response-head.ts";

/** Bytes that a trailer section may have. */
const MOST_TRAILER = 8192;
/** The body goes on. */
export const MORE = -2;

/** The bodies of one connection's answers, one after another: takes their framing off and checks it. */
export class AnswerBody {
  /** Of the answer that has begun. Read into this one object, so that nothing is allocated. */
  readonly framing: AnswerFraming = { kind: BODY.none, length: 0, fault: undefined };
  /** The trailer section as it goes on, once the body is complete. */
  trailer = "\r\n";
  readonly #sink: ChunkSink;
  #rest = 0;
  #chunks: ChunkDecoder | undefined;

  /** @param sink gets the content; the bytes are only good during the call */
  constructor(sink: ChunkSink) {
    this.#sink = sink;
  }

  /** An answer's head has been read, and {@link framing} is its. */
  begin(): void {
    this.trailer = "\r\n";
    this.#rest = this.framing.length;
    this.#chunks =
      this.framing.kind === BODY.chunked ? new ChunkDecoder(this.#sink, MOST_TRAILER) : undefined;
  }

  drop(): void {
    this.#chunks = undefined;
  }

  /** Reads on. @returns the index after the body, {@link MORE}, or FAULT where it is malformed */
  read(bytes: Buffer, at: number): number {
    switch (this.framing.kind) {
      case BODY.none:
        return at;
      case BODY.length:
        return this.#readLength(bytes, at);
      case BODY.chunked:
        return this.#readChunks(this.#chunks!, bytes, at);
      default:
        if (at < bytes.length) this.#sink.onData(bytes, at, bytes.length);
        return MORE;
    }
  }

  #readLength(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#rest);
    this.#rest -= end - at;
    if (end > at) this.#sink.onData(bytes, at, end);
    return this.#rest === 0 ? end : MORE;
  }

  #readChunks(chunks: ChunkDecoder, bytes: Buffer, at: number): number {
    const after = chunks.read(bytes, at, bytes.length);
    if (after === FAULT) return FAULT;
    if (!chunks.done) return MORE;
    const trailer = relayTrailer(chunks.trailer);
    if (trailer === undefined) return FAULT;
    this.trailer = trailer;
    return after;
  }
}
