/** Milliseconds that a timer can hold; a client that waits longer than these 24 days waits without a deadline. */
const LONGEST = 2 ** 31 - 1;
/**
 * A client counts from when it began the call, and we from when it came in. What it gives up within this part of its
 * deadline's end, and as many milliseconds, is late rather than unwanted.
 */
const SLACK = { share: 0.1, milliseconds: 10 };

/** A call's deadline. Clients end a call by themselves when it passes, most often a moment before we would. */
export class Deadline {
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #late: number;

  /** @param timeout in milliseconds */
  constructor(timeout: number, onPassed: () => void) {
    this.#late = performance.now() + timeout * (1 - SLACK.share) - SLACK.milliseconds;
    if (timeout <= LONGEST) this.#timer = setTimeout(onPassed, timeout);
  }

  /** As good as passed. */
  get passed(): boolean {
    return performance.now() >= this.#late;
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
