import { latin1 } from "../engines/wire/bytes.ts";

const NOTHING = Buffer.alloc(0);
/** A first piece this small is kept as a string: memory of its own beside JavaScript's costs more than the content does. */
const SMALL = 4096;

/**
 * The pieces of one content, joined as they come: a piece that was kept by itself would cost hundreds of bytes, even if it has one, and
 * whoever sends decides how small they are.
 */
export class Gathered {
  /** Bytes of content. */
  length = 0;
  /** The first piece, one character for each byte, while there is no second. */
  #first = "";
  #bytes: Buffer = NOTHING;

  /** Bytes that are held for it, at most twice its length. */
  get held(): number {
    return this.#first.length + this.#bytes.length;
  }

  add(piece: Buffer, start = 0, end = piece.length): void {
    const length = this.length + end - start;
    if (this.length === 0 && length <= SMALL) this.#first = latin1(piece, start, end);
    else {
      if (length > this.#bytes.length) this.#grow(Math.max(length, 2 * this.length));
      piece.copy(this.#bytes, this.length, start, end);
    }
    this.length = length;
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafeSlow(size); // the shared pool would hold eight times as much
    if (this.#first !== "") larger.write(this.#first, "latin1");
    else this.#bytes.copy(larger, 0, 0, this.length);
    this.#first = "";
    this.#bytes = larger;
  }

  /** The content, one character for each byte. */
  latin1(): string {
    return this.#first !== "" ? this.#first : latin1(this.#bytes, 0, this.length);
  }

  /** The content. */
  bytes(): Buffer {
    if (this.#first !== "") return Buffer.from(this.#first, "latin1");
    return this.#bytes.subarray(0, this.length);
  }

  /** The content, read as UTF-8. */
  text(): string {
    const isAscii = this.#first !== "" && !/[\x80-\xff]/.test(this.#first);
    return isAscii ? this.#first : this.bytes().toString("utf8");
  }

  /** No more is to come: holds no more than the content. */
  trim(): void {
    if (this.#bytes.length > this.length) this.#bytes = Buffer.from(this.#bytes.subarray(0, this.length));
  }

  drop(): void {
    this.#first = "";
    this.#bytes = NOTHING;
    this.length = 0;
  }
}
