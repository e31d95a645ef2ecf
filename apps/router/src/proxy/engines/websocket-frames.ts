import { randomBytes } from "node:crypto";

/** Bytes of a header without the masking key, which is counted with the payload (RFC 6455 section 5.2). */
const LONGEST_HEADER = 10;
const LONGEST_CONTROL = 125;
const CLOSE = 8;
/** "An endpoint is going away" (section 7.4.1): clients connect anew. */
const GOING_AWAY = 1001;
const NOTHING = Buffer.alloc(0);

/** Milliseconds that both sides of a WebSocket have for the closing handshake once it was begun for them. */
export const CLOSING_TIME = 1000;

/**
 * One direction of a WebSocket as a proxy passes it on: it knows where frames end, because it has read their headers from
 * the first on, and can close the direction between two of them. Payloads are skipped, so masks, extensions such as
 * permessage-deflate, fragments and control frames among them are all the same to it.
 */
export class FrameLane {
  readonly #masked: boolean;
  readonly #header = new Uint8Array(LONGEST_HEADER);
  #have = 0;
  /** Bytes that are missing to the frame's end. */
  #rest = 0;
  #opcode = 0;
  #lost = false;
  #ending = false;
  #shut = false;
  #closed = false;

  /** @param masked frames of this direction are, because they come from the client */
  constructor(masked: boolean) {
    this.#masked = masked;
  }

  /** These are no frames as RFC 6455 has them; nothing can be put between them. */
  get lost(): boolean {
    return this.#lost;
  }

  /** The sender has said that it closes. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The receiver gets no more. */
  get shut(): boolean {
    return this.#shut;
  }

  /** Bytes from the sender. @returns what the receiver gets of them */
  pass(bytes: Buffer): Buffer {
    if (this.#shut) {
      this.#follow(bytes, 0);
      return NOTHING;
    }
    const cut = this.#follow(bytes, 0);
    if (cut < 0) return bytes;
    const said = this.#closed;
    this.#shut = true;
    this.#follow(bytes, cut);
    return said ? bytes.subarray(0, cut) : Buffer.concat([bytes.subarray(0, cut), closeFrame(this.#masked)]);
  }

  /**
   * Closes the direction: at once between two frames, else at the end of the one under way, by {@link pass}.
   * @returns what the receiver gets now
   */
  end(): Buffer {
    this.#ending = true;
    if (this.#lost || this.#have > 0 || this.#rest > 0) return NOTHING;
    this.#shut = true;
    return this.#closed ? NOTHING : closeFrame(this.#masked);
  }

  /** @returns the index at which the direction is to be closed; -1 where it goes on */
  #follow(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length && !this.#lost) {
      at = this.#rest > 0 ? this.#skip(bytes, at) : this.#readHeader(bytes, at);
      if (this.#rest > 0 || this.#have > 0) continue;
      if (this.#opcode === CLOSE) this.#closed = true;
      if (this.#ending && !this.#shut && !this.#lost) return at;
    }
    return -1;
  }

  #skip(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#rest);
    this.#rest -= end - at;
    return end;
  }

  #readHeader(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length && this.#have < headerLength(this.#header, this.#have)) {
      this.#header[this.#have++] = bytes[at++]!;
    }
    if (this.#have < headerLength(this.#header, this.#have)) return at;
    this.#have = 0;
    this.#begin(this.#header);
    return at;
  }

  #begin(header: Uint8Array): void {
    const [first = 0, second = 0] = header;
    const length = payloadLength(header);
    const masked = second >= 128;
    this.#opcode = first & 15;
    const control = this.#opcode >= CLOSE;
    const known = this.#opcode <= 2 || (control && this.#opcode <= 10);
    const badControl = control && (first < 128 || length > LONGEST_CONTROL);
    this.#lost = !known || badControl || masked !== this.#masked || !Number.isSafeInteger(length);
    this.#rest = this.#lost ? 0 : length + (masked ? 4 : 0);
  }
}

function headerLength(header: Uint8Array, have: number): number {
  if (have < 2) return 2;
  const length = header[1]! & 127;
  return length === 127 ? LONGEST_HEADER : length === 126 ? 4 : 2;
}

function payloadLength(header: Uint8Array): number {
  const short = header[1]! & 127;
  if (short < 126) return short;
  const bytes = header.subarray(2, short === 126 ? 4 : LONGEST_HEADER);
  return bytes.reduce((length, byte) => length * 256 + byte, 0);
}

/** A close frame with {@link GOING_AWAY} (RFC 6455 section 5.5.1). */
function closeFrame(masked: boolean): Buffer {
  const code = [GOING_AWAY >> 8, GOING_AWAY & 255];
  if (!masked) return Buffer.from([128 | CLOSE, code.length, ...code]);
  const key = randomBytes(4);
  return Buffer.from([128 | CLOSE, 128 | code.length, ...key, ...code.map((byte, i) => byte ^ key[i]!)]);
}
