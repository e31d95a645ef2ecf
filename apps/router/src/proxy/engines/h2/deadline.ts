/** Milliseconds that a timer can hold; a client that waits longer than these 24 days waits without a deadline. */
const LONGEST = 2 ** 31 - 1;
/** A client's own clock may run a little ahead of ours; what it gives up within this time of its deadline is late. */
const SLACK = 10;

/** A call's deadline. Clients end a call by themselves when it passes, most often a moment before we would. */
export class Deadline {
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #at: number;

  /** @param timeout in milliseconds */
  constructor(timeout: number, onPassed: () => void) {
    this.#at = performance.now() + timeout;
    if (timeout <= LONGEST) this.#timer = setTimeout(onPassed, timeout);
  }

  get passed(): boolean {
    return performance.now() >= this.#at - SLACK;
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
