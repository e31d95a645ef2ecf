import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import type { PairReport } from "../../core/shadow/pairs.ts";
import type { Disk } from "../disk.ts";
import type { Log } from "../log.ts";
import type { Shadow, Shadows } from "./shadows.ts";

/** Raised with every change that an older router could not read. */
const SCHEMA = 1;
const NAME = "shadow.json";
/** Milliseconds between two saves while pairs come in: so much of them a crash may cost. */
const SAVE_EVERY = 5000;

/** Everything of shadows that outlives a restart. */
export interface SavedShadows {
  readonly running: Shadow | null;
  /** The pair of versions that was compared last. */
  readonly last: string | null;
  readonly pairs: readonly (readonly [string, PairReport])[];
}

export interface ShadowFileOptions {
  /** Undefined keeps nothing. */
  readonly folder: string | undefined;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  readonly shadows: Shadows;
}

/** Keeps a shadow and its pairs in the state folder. It is not worth a refusal: what cannot be saved or read is said, and goes on. */
export class ShadowFile {
  readonly #options: ShadowFileOptions;
  #saved = "";
  #looked = 0;
  #queue: Promise<void> = Promise.resolve();
  #given = false;
  /** Workers that outlived the router before this one report earlier: what they find must not replace what is not read yet. */
  #loaded = false;

  constructor(options: ShadowFileOptions) {
    this.#options = options;
  }

  get #path(): string {
    return join(this.#options.folder!, NAME);
  }

  /** @param handed what the router before this one had; its file may be older */
  async load(handed: string | undefined): Promise<void> {
    const { folder, log, shadows } = this.#options;
    const text = handed ?? (folder === undefined ? undefined : await this.#read());
    this.#loaded = true;
    if (text === undefined) return;
    const saved = deserialize(text);
    if (saved === undefined) log.warn({ file: NAME }, "What was saved of shadows cannot be read; none runs.");
    else shadows.restore(saved);
    this.#saved = text;
  }

  async #read(): Promise<string | undefined> {
    try {
      return await this.#options.disk.read(this.#path);
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      this.#options.log.warn(
        { file: NAME, error: reason },
        `${NAME} cannot be read (${reason}); no shadow runs.`,
      );
      return undefined;
    }
  }

  /** Called with every report. */
  look(): void {
    const now = this.#options.clock.now();
    if (now - this.#looked < SAVE_EVERY) return;
    this.#looked = now;
    void this.save();
  }

  /** Saves what has changed; one after another. */
  save(): Promise<void> {
    this.#queue = this.#queue.then(() => this.#saveNow());
    return this.#queue;
  }

  async #saveNow(): Promise<void> {
    if (this.#options.folder === undefined || this.#given || !this.#loaded) return;
    const text = serialize(this.#options.shadows.saved);
    if (text !== this.#saved) await this.#write(text);
  }

  async #write(text: string): Promise<void> {
    const { folder, disk, log } = this.#options;
    const next = `${this.#path}.tmp`;
    try {
      await disk.write(next, text);
      await disk.rename(next, this.#path);
      await disk.syncFolder(folder!);
      this.#saved = text;
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      log.warn({ error: reason }, `The shadow's pairs could not be saved (${reason}).`);
    }
  }

  /** Gives everything away; nothing is saved any more. */
  async give(): Promise<string> {
    await this.save();
    this.#given = true;
    return serialize(this.#options.shadows.saved);
  }

  takeBack(): void {
    this.#given = false;
  }
}

function serialize(saved: SavedShadows): string {
  const body = JSON.stringify({ schema_version: SCHEMA, ...saved });
  return `${JSON.stringify({ checksum: sha256(body) })}\n${body}\n`;
}

function deserialize(text: string): SavedShadows | undefined {
  const [first = "", body = ""] = text.split("\n");
  try {
    if (JSON.parse(first).checksum !== sha256(body)) return undefined;
    const { schema_version, ...saved } = JSON.parse(body);
    return schema_version === SCHEMA ? saved : undefined;
  } catch {
    return undefined;
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
