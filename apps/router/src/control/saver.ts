import type { Clock } from "../core/clock.ts";
import type { Log } from "./log.ts";
import type { SavedState } from "./saved-state.ts";
import type { Storage } from "./storage.ts";

const FIRST_RETRY = 1000;
const LAST_RETRY = 30_000;

/** Saves, and goes on trying after a rescue that could not be saved. One save at a time is the caller's care. */
export class Saver {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #retry: () => Promise<void>;
  #cancel: (() => void) | undefined;
  #delay = FIRST_RETRY;
  #owing = false;

  /** @param retry saves what is in force by then, which may be more than what failed to be saved */
  constructor(storage: Storage, clock: Clock, log: Log, retry: () => Promise<void>) {
    this.#storage = storage;
    this.#clock = clock;
    this.#log = log;
    this.#retry = retry;
  }

  /** Rejects with the disk's error; then nothing has changed on it. */
  async save(state: SavedState): Promise<void> {
    await this.#storage.save(state);
    if (this.#owing) this.#log.info({ revision: state.routing.revision }, "The state is saved again.");
    this.#settle();
  }

  /** What is in force is not on the disk: tries again after 1 s, 2 s, 4 s, up to every 30 s. */
  keepTrying(): void {
    this.#owing = true;
    this.#cancel ??= this.#clock.after(this.#delay, () => {
      this.#cancel = undefined;
      this.#delay = Math.min(this.#delay * 2, LAST_RETRY);
      this.#retry().catch((error: unknown) => {
        this.#log.warn({ error: String(error) }, "The state in force could not be saved yet.");
        this.keepTrying();
      });
    });
  }

  #settle(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#owing = false;
    this.#delay = FIRST_RETRY;
  }

  /** After `close`. @throws StartError somebody else has it */
  reopen(): Promise<void> {
    return this.#storage.reopen();
  }

  /** One last attempt if something is owed. */
  async close(): Promise<void> {
    if (this.#owing) await this.#retry().catch(() => {});
    this.#settle();
    await this.#storage.close();
  }
}
