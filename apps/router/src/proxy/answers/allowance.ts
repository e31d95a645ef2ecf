/** Work that may be done each second. What a piece costs is known afterwards: too much of it is paid for by waiting. */
export class Allowance {
  readonly #perSecond: number;
  readonly #most: number;
  #left: number;
  #at = 0;

  /** @param perSecond in whatever unit the work is measured; a quarter of a second's may be done at once */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#most = perSecond / 4;
    this.#left = this.#most;
  }

  /** Whether anything is left. @param now milliseconds on a clock that never goes back */
  has(now: number): boolean {
    this.#left = Math.min(this.#most, this.#left + (Math.max(0, now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    return this.#left > 0;
  }

  take(cost: number): void {
    this.#left -= cost;
  }
}
