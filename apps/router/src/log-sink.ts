import { write, writeSync } from "node:fs";

/** Bytes that may wait for a slow reader; what comes on top is dropped, because requests are worth more than lines. */
const MOST_WAITING = 16 << 20;
/** Milliseconds until a full pipe is tried again, and how often at the very end. */
const RETRY = 10;
const LAST_RETRIES = 100;

const STDOUT = 1;

/**
 * Where log lines go: a file descriptor, without anybody waiting for its reader. A reader that is gone ends the log and
 * nothing else; pino's own destination (sonic-boom 4) then spins for ever in its last flush, and the process never ends.
 */
export class LogSink {
  readonly #fd: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** What is left of the chunk that the system has been given. */
  #current: Buffer | undefined;
  #gone = false;
  #onIdle: (() => void)[] = [];

  constructor(fd = STDOUT) {
    this.#fd = fd;
    process.on("exit", () => this.flushSync());
  }

  write(line: string): void {
    if (this.#gone || this.#waitingBytes > MOST_WAITING) return;
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    if (!this.#current) this.#next();
  }

  /** Calls back when all lines have been handed to the system, or nobody takes them. */
  flush(callback: () => void): void {
    if (this.#current) this.#onIdle.push(callback);
    else callback();
  }

  /** Writes what waits before the process ends; gives up on a pipe that stays full for a second. */
  flushSync(): void {
    let rest = Buffer.from(this.#take());
    for (let tries = 0; rest.length > 0 && !this.#gone && tries < LAST_RETRIES; ) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest));
      } catch (error) {
        if (!isFull(error)) this.#gone = true;
        tries++;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY);
      }
    }
  }

  #take(): string {
    const text = this.#waiting.join("");
    this.#waiting = [];
    this.#waitingBytes = 0;
    return text;
  }

  #next(): void {
    this.#current ??= Buffer.from(this.#take());
    write(this.#fd, this.#current, (error, written) => this.#written(error, written));
  }

  #written(error: NodeJS.ErrnoException | null, written: number): void {
    if (error && isFull(error)) {
      setTimeout(() => this.#next(), RETRY);
      return;
    }
    if (error) {
      this.#gone = true;
      this.#take();
    }
    const rest = error ? undefined : this.#current?.subarray(written);
    this.#current = rest?.length ? rest : undefined;
    if (this.#current || this.#waiting.length > 0) this.#next();
    else for (const callback of this.#onIdle.splice(0)) callback();
  }
}

function isFull(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EAGAIN";
}
