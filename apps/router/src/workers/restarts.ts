/** A worker that ends younger than this, in milliseconds, counts towards a storm. */
export const GROWN_UP = 5000;
const FIRST_DELAY = 100;
const LONGEST_DELAY = 5000;

/** Holds back replacements of workers that keep ending as soon as they are there. */
export class Restarts {
  #young = 0;

  /** Milliseconds until a worker that ended at this age may be replaced: 0 for the first, then ever more up to 5 s. */
  delay(age: number): number {
    if (age >= GROWN_UP) this.#young = 0;
    else this.#young++;
    return this.#young <= 1 ? 0 : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (this.#young - 2));
  }
}
