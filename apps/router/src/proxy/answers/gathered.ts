const NOTHING = Buffer.alloc(0);

/**
 * The pieces of one content, joined as they come: a piece that was kept by itself would cost hundreds of bytes, even if it has one, and
 * whoever sends decides how small they are.
 */
export class Gathered {
  /** Bytes of content. */
  length = 0;
  #bytes: Buffer = NOTHING;

  /** Bytes that are held for it, at most twice its length. */
  get held(): number {
    return this.#bytes.length;
  }

  add(piece: Buffer, start = 0, end = piece.length): void {
    const length = this.length + end - start;
    if (length > this.held) {
      // the shared pool would hold eight times as much
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.length));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    piece.copy(this.#bytes, this.length, start, end);
    this.length = length;
  }

  /** The content, which is the caller's; nothing is held any more. */
  take(): Buffer {
    const whole = this.length === this.held ? this.#bytes : Buffer.from(this.#bytes.subarray(0, this.length));
    this.drop();
    return whole;
  }

  drop(): void {
    this.#bytes = NOTHING;
    this.length = 0;
  }
}
