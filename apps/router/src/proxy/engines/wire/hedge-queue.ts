/** A request that may be sent a second time when its time has come. */
export interface Hedgeable {
  /** Does nothing where the request has been answered in the meantime. */
  hedge(): void;
}

/**
 * Requests in the order in which they began to wait for their color's p95. Answered ones are passed over when their time
 * comes, which is a few milliseconds later. As p95 moves, one may be called a little late, never early.
 */
export class HedgeQueue {
  readonly #now: () => number;
  #waiting: { readonly request: Hedgeable; readonly due: number }[] = [];
  #next = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param now milliseconds on a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(request: Hedgeable, milliseconds: number): void {
    this.#waiting.push({ request, due: this.#now() + milliseconds });
    this.#timer ??= setTimeout(() => this.#expire(), milliseconds);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting = [];
    this.#next = 0;
  }

  #expire(): void {
    this.#timer = undefined;
    const now = this.#now();
    while (this.#next < this.#waiting.length && this.#waiting[this.#next]!.due <= now) {
      this.#waiting[this.#next++]!.request.hedge();
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
      return;
    }
    if (this.#next > 1024) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    this.#timer = setTimeout(() => this.#expire(), Math.max(1, this.#waiting[this.#next]!.due - now));
  }
}
