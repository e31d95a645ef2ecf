import { isSampled, MAX_ROWS, type Served } from "../core/feedback/served.ts";

/** Records that wait for the next report; more are dropped and counted. */
const MAX_WAITING = 16_384;
/** The same for numbers in them. */
const MAX_NUMBERS = 262_144;
/** With so many it does not wait for the next report. */
const HURRY = 1024;

/** What was predicted, on its way to the control plane: bounded, and never waited for. */
export class ServedBuffer {
  /** Share of the requests that are remembered, 0 to 1; 0 remembers none. */
  share = 0;
  /** Records that were not remembered because too much waited, or a request had too many rows. */
  dropped = 0;
  readonly #hurry: () => void;
  #waiting: Served[] = [];
  #numbers = 0;

  /** @param hurry called once when a report should not wait */
  constructor(hurry: () => void) {
    this.#hurry = hurry;
  }

  /** Whether {@link push} would take a record of this id: what is not remembered need not be made. */
  wants(id: string): boolean {
    return this.share > 0 && isSampled(id, this.share);
  }

  push(served: Served): void {
    if (!this.wants(served.id)) return;
    const { length } = served.predictions;
    const full = this.#waiting.length >= MAX_WAITING || this.#numbers + length > MAX_NUMBERS;
    if (full || length > MAX_ROWS) {
      this.dropped++;
      return;
    }
    this.#numbers += length;
    if (this.#waiting.push(served) === HURRY) this.#hurry();
  }

  /** Everything that waits, which waits no longer. */
  take(): readonly Served[] {
    const taken = this.#waiting;
    this.#waiting = [];
    this.#numbers = 0;
    return taken;
  }
}
