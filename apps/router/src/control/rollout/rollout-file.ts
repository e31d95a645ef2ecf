import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Disk } from "../disk.ts";
import type { Log } from "../log.ts";
import { StartError, unusable } from "../start-error.ts";
import type { RolloutEntry } from "./entry.ts";
import type { SavedLedger } from "./ledger.ts";

/** Raised with every change that an older router could not read. */
export const ROLLOUT_SCHEMA = 1;

/** All of rollouts that outlives a restart; one file, so that a rollout and its evidence cannot disagree. */
export interface SavedRollouts {
  /** The newest rollout, over or not. */
  readonly current: RolloutEntry | null;
  readonly ledger: SavedLedger;
}

/** Where rollouts are kept. One writer: the runner. */
export interface RolloutStorage {
  /** @throws StartError it was written by a newer router, or cannot be read */
  load(): Promise<SavedRollouts | undefined>;
  /** Resolves once it would survive a power cut. */
  save(text: string): Promise<void>;
}

/** `state: memory`. */
export class NoRolloutStorage implements RolloutStorage {
  async load(): Promise<undefined> {}
  async save(): Promise<void> {}
}

export function serializeRollouts(saved: SavedRollouts): string {
  const body = JSON.stringify({ schema_version: ROLLOUT_SCHEMA, ...saved });
  return `${JSON.stringify({ checksum: sha256(body) })}\n${body}\n`;
}

/** Not what a router has written. */
class Damaged extends Error {}

/** @throws StartError it is not what a router has written, or a newer router wrote it */
export function deserializeHanded(text: string): SavedRollouts {
  try {
    return deserializeRollouts(text, "What the running router hands over of rollouts");
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    throw new StartError(
      `What the running router hands over of rollouts is damaged (${error.message}): expected what its rollouts.json has.`,
    );
  }
}

/** @throws StartError a newer router wrote it; Damaged */
function deserializeRollouts(text: string, where: string): SavedRollouts {
  const [first = "", body = ""] = text.split("\n");
  if (objectOf(first).checksum !== sha256(body)) throw new Damaged("its checksum does not match its content");
  const { schema_version: version, ...saved } = objectOf(body);
  if (typeof version !== "number" || version > ROLLOUT_SCHEMA) {
    throw new StartError(
      `${where} has schema version ${version}; this router knows up to ${ROLLOUT_SCHEMA}: start the newer router, or remove the file.`,
    );
  }
  return saved as unknown as SavedRollouts;
}

/** @throws Damaged */
function objectOf(line: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(line));
  } catch {
    throw new Damaged("it is not JSON");
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

const NAME = "rollouts.json";

/** Rollouts in the state folder: write, fsync, rename, with the generation before under `rollouts.json.1`. */
export class RolloutFile implements RolloutStorage {
  readonly #path: string;
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #log: Log;

  constructor(folder: string, disk: Disk, log: Log) {
    this.#folder = folder;
    this.#path = join(folder, NAME);
    this.#disk = disk;
    this.#log = log;
  }

  async load(): Promise<SavedRollouts | undefined> {
    try {
      return (await this.#read(this.#path)) ?? (await this.#read(`${this.#path}.1`));
    } catch (error) {
      if (error instanceof StartError) throw error;
      throw unusable(this.#path, "a file that this user can read, or none", error);
    }
  }

  async #read(path: string): Promise<SavedRollouts | undefined> {
    const text = await this.#disk.read(path);
    if (text === undefined) return undefined;
    try {
      return deserializeRollouts(text, path);
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      const aside = `${path}.damaged`;
      await this.#disk.rename(path, aside);
      this.#log.error(
        { file: path, aside, reason: error.message },
        "Saved rollouts were set aside: damaged.",
      );
      return undefined;
    }
  }

  async save(text: string): Promise<void> {
    const [next, before] = [`${this.#path}.tmp`, `${this.#path}.1`];
    try {
      await this.#disk.write(next, text);
      if ((await this.#disk.read(this.#path)) !== undefined) {
        await this.#disk.duplicate(this.#path, `${before}.tmp`);
        await this.#disk.rename(`${before}.tmp`, before);
      }
      await this.#disk.rename(next, this.#path);
    } catch (error) {
      await this.#disk.remove(next).catch(() => {});
      throw error;
    }
    await this.#disk.syncFolder(this.#folder);
  }
}
