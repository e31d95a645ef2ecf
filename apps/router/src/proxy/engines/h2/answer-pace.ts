/** Watches over an answer that has begun: it may rest for a while only, unless it lasts and its client reads. */
export class AnswerPace {
  /** The client has to catch up first. */
  clientIsSlow = false;
  /** It may be silent for as long as both sides like. */
  lasts = false;
  readonly #onSilent: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param onSilent nothing has moved for too long */
  constructor(onSilent: () => void) {
    this.#onSilent = onSilent;
  }

  /**
   * Something has moved. The client's own sending says nothing of whether it reads.
   * @param milliseconds that may pass until the next time; taken at the first one
   */
  moved(fromTarget: boolean, milliseconds: number): void {
    if (this.clientIsSlow && !fromTarget) return;
    if (this.lasts && !this.clientIsSlow) return this.stop();
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(this.#onSilent, milliseconds);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
