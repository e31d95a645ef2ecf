/**
 * Has workers tell what they answered a moment ago, which may not have been reported yet. One question is under way at a time, and all who
 * ask meanwhile share the next one: what they ask about may be newer than the answer to the first.
 */
export class JustAnswered {
  readonly #refresh: () => Promise<void>;
  #underWay: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  /** @param refresh resolves once every worker has reported, or does not answer */
  constructor(refresh: () => Promise<void>) {
    this.#refresh = refresh;
  }

  /** Resolves once everything is told that was answered before this call. */
  told(): Promise<void> {
    this.#next ??= this.#underWay.then(() => {
      this.#next = undefined;
      this.#underWay = this.#refresh().catch(() => {}); // then nothing more is known than before
      return this.#underWay;
    });
    return this.#next;
  }
}
