import { appendFileSync, renameSync, statSync } from "node:fs";

/** Bytes of the newest file; the one before it is kept, too. */
const LARGEST = 1024 * 1024;
const LONGEST_LINE = 16 * 1024;

/**
 * A log file that never takes more than two times `largest` bytes: when it is full it becomes `PATH.1`, and a new one
 * begins. What cannot be written is lost: a full disk must not end a server.
 */
export class BoundedLog {
  readonly #path: string;
  readonly #largest: number;
  #size: number;

  constructor(path: string, largest = LARGEST) {
    this.#path = path;
    this.#largest = largest;
    this.#size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  write(text: string): void {
    const line = text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}…\n` : text;
    try {
      if (this.#size > 0 && this.#size + Buffer.byteLength(line) > this.#largest) this.#turn();
      appendFileSync(this.#path, line, { mode: 0o600 });
      this.#size += Buffer.byteLength(line);
    } catch {}
  }

  end(): void {}

  #turn(): void {
    renameSync(this.#path, `${this.#path}.1`);
    this.#size = 0;
  }
}
