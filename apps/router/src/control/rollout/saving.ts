import type { Clock } from "../../core/clock.ts";
import type { Log } from "../log.ts";
import type { RolloutStorage } from "./rollout-file.ts";

/** Milliseconds between two saves of evidence that grows. */
const SAVE = 1000;

/** Saves one after another, each what is so when its turn comes. */
export class Saving {
  /** Something has changed since the last save began. */
  dirty = false;
  readonly #storage: RolloutStorage;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #text: () => string;
  #queue: Promise<unknown> = Promise.resolve();
  #savedAt = 0;

  /** @param text what there is to save now */
  constructor(storage: RolloutStorage, clock: Clock, log: Log, text: () => string) {
    this.#storage = storage;
    this.#clock = clock;
    this.#log = log;
    this.#text = text;
  }

  /** Resolves once what is so now is on the disk; rejects with the disk's error. */
  now(): Promise<void> {
    const saving = this.#queue.then(async () => {
      this.dirty = false;
      this.#savedAt = this.#clock.ticks();
      await this.#storage.save(this.#text());
    });
    this.#queue = saving.catch((error: unknown) => {
      this.dirty = true;
      this.#log.warn({ error: String(error) }, "A rollout could not be saved yet.");
    });
    return saving;
  }

  /** Saves without anybody waiting; a failure is logged, and tried again when it is due. */
  soon(): void {
    this.now().catch(() => {});
  }

  /** Saves if something has changed and the last time is long enough ago. */
  due(): void {
    if (this.dirty && this.#clock.ticks() - this.#savedAt >= SAVE) this.soon();
  }

  /** False when the disk refuses, or takes longer than that: saving goes on all the same. */
  within(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, () => resolve(false));
      const end = (saved: boolean) => {
        cancel();
        resolve(saved);
      };
      this.now().then(
        () => end(true),
        () => end(false),
      );
    });
  }
}
