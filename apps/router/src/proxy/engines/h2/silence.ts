/** Runs out when nothing has moved for a while. */
export class Silence {
  readonly #onOver: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  /** Something has moved. @param milliseconds that may pass until the next time; taken at the first one */
  again(milliseconds: number): void {
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(this.#onOver, milliseconds);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
