/** Milliseconds that work may wait for more of its kind. */
const PATIENCE = 250;

/**
 * Has work that can wait done in bunches. Measured: a hundred copies a second cost a busy router several times as much by
 * themselves as 25 at a time.
 */
export class Bunch {
  readonly #work: () => void;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  /** @param work what is to be done, in a turn of its own */
  constructor(work: () => void) {
    this.#work = work;
  }

  /** There is work: it is done as soon as sockets have had their turn if the bunch is `full`, otherwise within a quarter of a second. */
  add(full: boolean): void {
    if (full) this.#immediate ??= setImmediate(this.#run);
    else this.#timer ??= setTimeout(this.#run, PATIENCE).unref();
  }

  /** Nothing is left to be done. */
  clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
  }

  readonly #run = (): void => {
    this.clear();
    this.#work();
  };
}
