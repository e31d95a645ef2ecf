/** Waits for messages of another process, which answers some time, or ends before. */
export class Answers<Message> {
  readonly #heard = new Set<(message: Message | undefined) => void>();
  #ended = false;

  /** Resolves with the first message that fits; with undefined when the other ends, or after `patience` milliseconds. */
  first(fits: (message: Message) => boolean, patience?: number): Promise<Message | undefined> {
    if (this.#ended) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const end = (message: Message | undefined) => {
        clearTimeout(timer);
        this.#heard.delete(hear);
        resolve(message);
      };
      const hear = (message: Message | undefined) => {
        if (message === undefined || fits(message)) end(message);
      };
      const timer = patience === undefined ? undefined : setTimeout(() => end(undefined), patience);
      this.#heard.add(hear);
    });
  }

  take(message: Message): void {
    for (const hear of [...this.#heard]) hear(message);
  }

  /** Nothing comes any more. */
  end(): void {
    this.#ended = true;
    for (const hear of [...this.#heard]) hear(undefined);
  }
}
