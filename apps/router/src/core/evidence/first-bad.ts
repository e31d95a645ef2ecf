/**
 * With affinity, a user whose requests all fail is one accident and not many: only each user's first bad request is evidence. This
 * remembers who had one, by a hash of the affinity key (a whole number). There is one in the control plane, because
 * two workers that each keep their own would count a user twice. When it is full, nobody new is counted any more: evidence
 * then stands still, which can miss a fault but never blames an innocent candidate.
 */
export class FirstBad {
  readonly #seen: Set<number>;
  readonly #limit: number;

  /** `seen` is what an earlier one saved. `limit` is a number of users. */
  constructor(limit = 20_000, seen: Iterable<number> = []) {
    if (!Number.isInteger(limit) || limit < 1) {
      throw new RangeError(`The limit of users is ${limit}; expected a whole number of at least 1.`);
    }
    this.#limit = limit;
    this.#seen = new Set(seen);
  }

  /** True when this is the user's first bad request and it may be counted. @throws RangeError for a hash that is none */
  isFirst(user: number): boolean {
    if (!Number.isSafeInteger(user))
      throw new RangeError(`A user's hash is ${user}; expected a whole number.`);
    if (this.#seen.has(user) || this.full) return false;
    this.#seen.add(user);
    return true;
  }

  get full(): boolean {
    return this.#seen.size >= this.#limit;
  }

  get size(): number {
    return this.#seen.size;
  }

  toJSON(): number[] {
    return [...this.#seen];
  }
}
