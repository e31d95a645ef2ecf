const WINDOW_SECONDS = 10;

/**
 * Bounds repetitions to a share of the last ten seconds' requests, so that retries cannot double the load of a service
 * that is already failing. `floor` a second is always allowed, or a quiet service could never retry.
 */
export class Budget {
  readonly #share: number;
  readonly #floor: number;
  readonly #requests = new Float64Array(WINDOW_SECONDS);
  readonly #spent = new Float64Array(WINDOW_SECONDS);
  #second = 0;

  /** @param share 0 to 1. @param floor repetitions a second that are always allowed. */
  constructor(share: number, floor = 3) {
    this.#share = share;
    this.#floor = floor;
  }

  /** Counts a client's request. `now` is in milliseconds on a clock that never goes back. */
  request(now: number): void {
    this.#requests[this.#slot(now)]! += 1;
  }

  /** Takes one repetition out of the budget; false, and nothing taken, when it is used up. */
  spend(now: number): boolean {
    const slot = this.#slot(now);
    const allowed = Math.max(this.#floor * WINDOW_SECONDS, this.#share * sum(this.#requests));
    if (sum(this.#spent) + 1 > allowed) return false;
    this.#spent[slot]! += 1;
    return true;
  }

  #slot(now: number): number {
    const second = Math.floor(now / 1000);
    if (second > this.#second) {
      const from = Math.max(this.#second + 1, second - WINDOW_SECONDS + 1);
      for (let s = from; s <= second; s++) {
        this.#requests[s % WINDOW_SECONDS] = 0;
        this.#spent[s % WINDOW_SECONDS] = 0;
      }
      this.#second = second;
    }
    return second % WINDOW_SECONDS;
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
