import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Disk } from "../disk.ts";
import type { Log } from "../log.ts";
import { StartError } from "../start-error.ts";
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

class Damaged extends Error {}

/** @throws StartError a newer router wrote it; Damaged it is not what was written */
export function deserializeRollouts(text: string, where: string): SavedRollouts {
  const [first = "", body = ""] = text.split("\n");
  const read = (line: string) => {
    try {
      return JSON.parse(line) as Record<string, unknown>;
    } catch {
      throw new Damaged("it is not JSON");
    }
  };
  if (read(first).checksum !== sha256(body)) throw new Damaged("its checksum does not match its content");
  const { schema_version: version, ...saved } = read(body);
  if (typeof version !== "number" || version > ROLLOUT_SCHEMA) {
    throw new StartError(
      `${where} has schema version ${version}; this router knows up to ${ROLLOUT_SCHEMA}: start the newer router, or remove the file.`,
    );
  }
  return saved as unknown as SavedRollouts;
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
    return (await this.#read(this.#path)) ?? (await this.#read(`${this.#path}.1`));
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
