import type { Clock } from "../../core/clock.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Log } from "../log.ts";
import type { ReportBook } from "../report-book.ts";

/** Milliseconds between two looks. */
const PERIOD = 250;

export interface LooksOptions {
  readonly clock: Clock;
  readonly book: ReportBook;
  readonly log: Log;
  /** Nothing is left to look at. */
  readonly isDone: () => boolean;
  /** A look, right after every worker was asked what it has counted. */
  readonly look: () => void;
}

/** When the rollout is looked at: again and again until it is done, and only by the router that has its folder. */
export class Looks {
  readonly #options: LooksOptions;
  #held = false;
  #given = false;
  #cancel = () => {};

  constructor(options: LooksOptions) {
    this.#options = options;
  }

  /** `held`: until {@link open} nothing is decided, because the router before this one may still take everything back. */
  start(held: boolean): void {
    this.#held = held;
    this.goOn();
  }

  open(): void {
    this.#held = false;
  }

  /** From now on another router looks. */
  give(): void {
    this.#held = true;
    this.#given = true;
    this.#cancel();
  }

  takeBack(): void {
    this.#given = false;
    this.start(false);
  }

  get isGiven(): boolean {
    return this.#given;
  }

  /** @throws Refusal another program is taking this router's place */
  mustBeOpen(): void {
    if (this.#held) throw new Refusal("handing_over", "An upgrade is under way: ask again in a second.");
  }

  /** Looks until it is done; called again when there may be something to do again. */
  goOn(): void {
    this.#cancel();
    if (this.#given || this.#options.isDone()) return;
    this.#cancel = this.#options.clock.after(PERIOD, () => {
      void this.#look().finally(() => this.goOn());
    });
  }

  async #look(): Promise<void> {
    const { book, look, log } = this.#options;
    await book.refresh().catch(() => {});
    try {
      if (!this.#held) look();
    } catch (error) {
      log.error({ error: (error as Error).stack }, "A look at the rollout failed.");
    }
  }
}
