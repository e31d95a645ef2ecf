/** What may happen at once, and then in a second, without end (a token bucket). */
export class Allowance {
  readonly #burst: number;
  readonly #rate: number;
  #left: number;
  #at = 0;

  constructor({ burst, rate }: { burst: number; rate: number }) {
    this.#burst = burst;
    this.#rate = rate;
    this.#left = burst;
  }

  /** @param now in milliseconds @returns false where it is one too many */
  take(now: number): boolean {
    if (this.#left < this.#burst) {
      this.#left = Math.min(this.#burst, this.#left + ((now - this.#at) / 1000) * this.#rate);
    }
    this.#at = now;
    this.#left--;
    return this.#left >= 0;
  }
}
