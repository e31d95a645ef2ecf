import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import type { Disk } from "../disk.ts";
import type { Log } from "../log.ts";

/** Characters that wait for a disk that takes nothing; what comes then is not written. */
const MAX_WAITING = 16 * 1024 * 1024;
/** Milliseconds after which what waits is written, and after which a failed write is tried again. */
const DELAY = 1000;
const RETRY = 5000;
const FILE = /^feedback-(\d{8})\.jsonl$/;

/** What is to be written to one part. */
interface Batch {
  readonly part: number;
  text: string;
  readonly onSaved: (() => void)[];
}

export interface JournalOptions {
  readonly folder: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * What is remembered for feedback, as files that are only appended to: one for each part of the memory, removed when the part is
 * forgotten. Nobody waits for it; a disk that is full costs what could not be kept for it, and nothing else.
 */
export class FeedbackJournal {
  /** Lines that were given up because the disk took nothing for too long. */
  dropped = 0;
  readonly #options: JournalOptions;
  #waiting: Batch[] = [];
  #length = 0;
  #writing: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  /** The last write failed. */
  #failing = false;
  #closed = false;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Numbers of the parts that are there, oldest first. */
  async parts(): Promise<number[]> {
    const names = await this.#options.disk.list(this.#options.folder);
    return names
      .flatMap((name) => FILE.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** The lines of a part, some at a time. */
  async *read(part: number): AsyncIterable<readonly string[]> {
    for await (const lines of this.#options.disk.lines(this.#path(part)))
      yield lines.filter((line) => line !== "");
  }

  /**
   * Writes a line soon.
   * @param onSaved called once it would survive a power cut; never, if it could not be written
   */
  append(part: number, line: string, onSaved?: () => void): void {
    if (this.#closed || this.#length + line.length > MAX_WAITING) {
      this.dropped++;
      return;
    }
    this.#length += line.length;
    let batch = this.#waiting.find((each) => each.part === part);
    if (batch === undefined) {
      batch = { part, text: "", onSaved: [] };
      this.#waiting.push(batch);
    }
    batch.text += line;
    if (onSaved) batch.onSaved.push(onSaved);
    this.#cancel ??= this.#options.clock.after(DELAY, () => void this.flush());
  }

  /** Writes what waits by now. What fails is tried again later. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  async #write(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    for (let batch = this.#waiting.shift(); batch; batch = this.#waiting.shift()) {
      try {
        // a line that was cut off before, by a full disk or a kill, must not swallow the next
        await this.#options.disk.append(this.#path(batch.part), `\n${batch.text}`);
      } catch (error) {
        this.#failed(batch, error);
        return;
      }
      this.#saved(batch);
    }
  }

  #saved({ text, onSaved }: Batch): void {
    if (this.#failing) this.#options.log.info({}, "What is remembered for feedback is saved again.");
    this.#failing = false;
    this.#length -= text.length;
    for (const told of onSaved) told();
  }

  #failed(batch: Batch, error: unknown): void {
    const { log, clock } = this.#options;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (!this.#failing)
      log.error({ error: code }, "What is remembered for feedback cannot be saved; requests go on.");
    this.#failing = true;
    this.#waiting.unshift(batch);
    if (!this.#closed) this.#cancel ??= clock.after(RETRY, () => void this.flush());
  }

  /** A part is forgotten: its file goes, and what was to be written to it. */
  async remove(part: number): Promise<void> {
    this.#giveUp(part);
    while (this.#writing) await this.#writing;
    this.#giveUp(part); // it may have failed and been put back
    await this.#options.disk.remove(this.#path(part)).catch((error) => {
      this.#options.log.warn({ part, error: String(error) }, "An old file of feedback could not be removed.");
    });
  }

  #giveUp(part: number): void {
    for (const batch of this.#waiting) if (batch.part === part) this.#length -= batch.text.length;
    this.#waiting = this.#waiting.filter((batch) => batch.part !== part);
  }

  /** Writes what waits, as far as the disk takes it, and nothing afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** After {@link close}. */
  reopen(): void {
    this.#closed = false;
  }

  #path(part: number): string {
    return join(this.#options.folder, `feedback-${String(part).padStart(8, "0")}.jsonl`);
  }
}
