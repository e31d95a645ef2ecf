import { CR, HEX, LF, latin1, VALUE } from "./bytes.ts";
import { EXTENSION_FAULT, EXTENSION_START, extensionStep, mayEnd } from "./chunk-extension.ts";

/** Bounds on what nobody needs and an attacker could send without end. */
const MOST_SIZE_DIGITS = 13; // 2^52 bytes: every size is a safe integer
const MOST_EXTENSION_BYTES = 256;
/** Bytes of extensions beyond what a body's content accounts for: two for each of its bytes, and 16 a chunk (as Go does). */
const MOST_EXCESS = 16 * 1024;

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILER = 6;
const DONE = 7;

/** Who gets what a decoder reads. The bytes are only good during the call. */
export interface ChunkSink {
  /** A piece of the content: `bytes` from `start` to `end`. */
  onData(bytes: Buffer, start: number, end: number): void;
}

/** A malformed body: nothing after it on its connection can be trusted. */
export const FAULT = -1;

/**
 * The chunked coding (RFC 9112 section 7.1), read strictly: sizes are hexadecimal digits and nothing else, lines end with
 * CRLF, extensions are bounded and dropped, the trailer section is kept for whoever reads it.
 */
export class ChunkDecoder {
  /** The trailer section with its empty line, once {@link done}. */
  trailer = "";
  readonly #sink: ChunkSink;
  readonly #mostTrailer: number;
  #state = SIZE;
  #digits = 0;
  #rest = 0;
  #extension = EXTENSION_START;
  #extensionBytes = 0;
  /** Of the whole body so far. */
  #excess = 0;
  #trailerBytes: Buffer | undefined;

  /** @param mostTrailer bytes that the trailer section may have. */
  constructor(sink: ChunkSink, mostTrailer: number) {
    this.#sink = sink;
    this.#mostTrailer = mostTrailer;
  }

  get done(): boolean {
    return this.#state === DONE;
  }

  /** Reads on. @returns the index of the first byte after the body or after `end`, or {@link FAULT} */
  read(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#state !== DONE) {
      if (this.#state === DATA) at = this.#readData(bytes, at, end);
      else if (this.#state === TRAILER) at = this.#readTrailer(bytes, at, end);
      else if (!this.#step(bytes[at++]!)) return FAULT;
      if (at === FAULT) return FAULT;
    }
    return at;
  }

  #step(byte: number): boolean {
    switch (this.#state) {
      case SIZE:
        return this.#sizeByte(byte);
      case EXTENSION:
        return this.#extensionByte(byte);
      case SIZE_LF:
        if (byte !== LF) return false;
        this.#state = this.#rest === 0 ? TRAILER : DATA;
        return true;
      case DATA_CR:
        this.#state = DATA_LF;
        return byte === CR;
      default:
        this.#state = SIZE;
        this.#digits = 0;
        return byte === LF;
    }
  }

  #sizeByte(byte: number): boolean {
    const digit = HEX[byte]!;
    if (digit < 16) {
      this.#rest = this.#rest * 16 + digit;
      return ++this.#digits <= MOST_SIZE_DIGITS;
    }
    if (this.#digits === 0) return false;
    this.#extensionBytes = 0;
    this.#extension = EXTENSION_START;
    if (byte === CR) this.#state = SIZE_LF;
    else if (byte === 59) this.#state = EXTENSION;
    else return false;
    return true;
  }

  #extensionByte(byte: number): boolean {
    if (byte === CR) {
      this.#state = SIZE_LF;
      this.#excess = Math.max(0, this.#excess + this.#extensionBytes - 2 * this.#rest - 16);
      return mayEnd(this.#extension) && this.#excess <= MOST_EXCESS;
    }
    this.#extension = extensionStep(this.#extension, byte);
    return this.#extension !== EXTENSION_FAULT && ++this.#extensionBytes <= MOST_EXTENSION_BYTES;
  }

  #readData(bytes: Buffer, at: number, end: number): number {
    const until = Math.min(end, at + this.#rest);
    this.#sink.onData(bytes, at, until);
    this.#rest -= until - at;
    if (this.#rest === 0) this.#state = DATA_CR;
    return until;
  }

  /** The common trailer section is the empty line alone; anything else is kept until its own empty line. */
  #readTrailer(bytes: Buffer, at: number, end: number): number {
    const known = this.#trailerBytes?.length ?? 0;
    const all = this.#trailerBytes
      ? Buffer.concat([this.#trailerBytes, bytes.subarray(at, end)])
      : bytes.subarray(at, end);
    const after = trailerEnd(all, Math.max(0, known - 3));
    if (after === FAULT || (after < 0 ? all.length : after) > this.#mostTrailer) return FAULT;
    if (after === -2) {
      this.#trailerBytes = Buffer.from(all);
      return end;
    }
    this.trailer = latin1(all, 0, after);
    this.#trailerBytes = undefined;
    this.#state = DONE;
    return at + after - known;
  }
}

/** Index after the empty line that ends a trailer section; -2 when it has not come, {@link FAULT} for a bare CR or LF. */
function trailerEnd(bytes: Buffer, from: number): number {
  for (let i = from; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === LF) {
      if (i === 0 || bytes[i - 1] !== CR) return FAULT;
      if (i === 1 || bytes[i - 2] === LF) return i + 1;
    } else if (byte === CR) {
      if (i + 1 < bytes.length && bytes[i + 1] !== LF) return FAULT;
    } else if (VALUE[byte] === 0) return FAULT;
  }
  return -2;
}
