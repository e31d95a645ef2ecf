import { Restarts } from "./restarts.ts";

/** Starts workers in the place of others, one after another, so that the second finds the first's listening socket. */
export class Replacements {
  readonly #hire: () => Promise<void>;
  readonly #restarts = new Restarts();
  readonly #delays = new Set<NodeJS.Timeout>();
  #hiring: Promise<void> = Promise.resolve();

  /** @param hire starts one worker, and resolves once it serves or will not */
  constructor(hire: () => Promise<void>) {
    this.#hire = hire;
  }

  /** One more is missing. @param age milliseconds that the worker lived which it takes the place of. Default: there was none */
  add(age = 0): void {
    const timer = setTimeout(() => {
      this.#delays.delete(timer);
      this.#hiring = this.#hiring.then(() => this.#hire());
    }, this.#restarts.delay(age));
    this.#delays.add(timer);
  }

  /** Those that have not begun do not come any more. Resolves once the one that is under way has come. */
  async stop(): Promise<void> {
    this.#cancel();
    await this.#hiring;
    this.#cancel(); // what could not be started has asked for another try
  }

  #cancel(): void {
    for (const delay of this.#delays) clearTimeout(delay);
    this.#delays.clear();
  }
}
