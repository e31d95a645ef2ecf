import { findHeadEnd, INCOMPLETE, MALFORMED } from "./head.ts";

/** The head is larger than it may be. */
export const TOO_LARGE = -3;

/** What has been read on a connection and not yet been understood: finds one head after another in it. */
export class HeadInput {
  /** The beginning of a head, or whole messages that wait. Bytes that nobody else writes into. */
  rest: Buffer | undefined;
  /** The bytes in hand are ours, too; else they are only good until the next are read. */
  #kept = false;
  #scanned = 0;

  /** A head has begun to arrive, and is not whole. */
  get begun(): boolean {
    return this.#scanned > 0;
  }

  /** What is to be read now. @param more bytes that have just arrived; undefined: what waited alone */
  take(more: Buffer | undefined): Buffer {
    const { rest } = this;
    this.rest = undefined;
    this.#kept = rest !== undefined;
    if (rest === undefined) return more!;
    return more === undefined ? rest : Buffer.concat([rest, more]);
  }

  /**
   * Where the head that begins at `start` of what was taken ends. One that is not whole is kept.
   * @param most bytes that it may have
   * @returns the index after it, INCOMPLETE, MALFORMED or {@link TOO_LARGE}
   */
  find(bytes: Buffer, start: number, most: number): number {
    const end = findHeadEnd(bytes, start, start + this.#scanned, bytes.length);
    this.#scanned = 0;
    if (end === MALFORMED) return MALFORMED;
    if ((end === INCOMPLETE ? bytes.length : end) - start > most) return TOO_LARGE;
    if (end === INCOMPLETE) {
      this.keep(bytes, start);
      this.#scanned = Math.max(0, bytes.length - start - 1);
    }
    return end;
  }

  /** What was taken is not needed yet, from `from` on. */
  keep(bytes: Buffer, from: number): void {
    if (from === bytes.length) return;
    const rest = bytes.subarray(from);
    this.rest = this.#kept ? rest : Buffer.from(rest);
  }

  /** More has come behind what waits. */
  add(more: Buffer): void {
    this.rest = this.rest === undefined ? Buffer.from(more) : Buffer.concat([this.rest, more]);
  }

  clear(): void {
    this.rest = undefined;
    this.#scanned = 0;
  }
}
