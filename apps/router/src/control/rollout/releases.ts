import { join } from "node:path";
import type { Disk } from "../disk.ts";
import type { Log } from "../log.ts";
import { unusable } from "../start-error.ts";
import { readRecord } from "./read-record.ts";
import type { ReleaseRecord } from "./record.ts";

/** Records that are kept, for how long (milliseconds), and how many bytes they may take together. */
const MOST = 200;
const OLDEST = 2 * 365 * 24 * 3_600_000;
const MOST_BYTES = 50 * 1024 * 1024;

interface Kept {
  readonly record: ReleaseRecord;
  readonly bytes: number;
}

/** What is kept of rollouts that are over: one JSON file each, in the folder `releases` of the state. */
export class Releases {
  /** Oldest first: ids sort by time. */
  readonly #kept = new Map<string, Kept>();
  readonly #folder: string | undefined;
  readonly #disk: Disk;
  readonly #log: Log;
  #writing: Promise<void> = Promise.resolve();

  /** @param folder of the state; undefined keeps them in memory */
  constructor(folder: string | undefined, disk: Disk, log: Log) {
    this.#folder = folder === undefined ? undefined : join(folder, "releases");
    this.#disk = disk;
    this.#log = log;
  }

  /** The newest first. */
  get all(): readonly ReleaseRecord[] {
    return [...this.#kept.values()].map(({ record }) => record).reverse();
  }

  get(id: string): ReleaseRecord | undefined {
    return this.#kept.get(id)?.record;
  }

  /**
   * @param handed by another router that keeps them in memory, too
   * @throws StartError the folder cannot be used
   */
  async load(now: number, handed: readonly ReleaseRecord[] = []): Promise<void> {
    if (this.#folder === undefined) {
      for (const record of handed) await this.keep(record, now);
      return;
    }
    try {
      await this.#readAll(this.#folder);
      await this.#prune(now);
    } catch (error) {
      throw unusable(this.#folder, "a folder that this user can read and write", error);
    }
  }

  async #readAll(folder: string): Promise<void> {
    await this.#disk.makeFolder(folder);
    const names = (await this.#disk.list(folder)).filter((name) => name.endsWith(".json")).sort();
    for (const name of names) await this.#read(name);
  }

  async #read(name: string): Promise<void> {
    try {
      const text = (await this.#disk.read(join(this.#folder!, name))) ?? "";
      const record = readRecord(text);
      if (`${record.id}.json` === name) this.#kept.set(record.id, { record, bytes: text.length });
    } catch (error) {
      this.#log.warn({ file: name, error: String(error) }, "A record of a release cannot be read.");
    }
  }

  /** Keeps a record, again if it is there already. A disk that refuses costs the file, not the record in memory. */
  async keep(record: ReleaseRecord, now: number): Promise<void> {
    const text = `${JSON.stringify(record, null, 1)}\n`;
    this.#kept.delete(record.id);
    this.#kept.set(record.id, { record, bytes: text.length });
    // one after another: two at a time would write the same temporary file
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#write(record.id, text);
        await this.#prune(now);
      } catch (error) {
        const facts = { id: record.id, error: String(error) };
        this.#log.error(facts, "The record of a release could not be saved.");
      }
    });
    await this.#writing;
  }

  async #write(id: string, text: string): Promise<void> {
    if (this.#folder === undefined) return;
    const path = join(this.#folder, `${id}.json`);
    await this.#disk.write(`${path}.tmp`, text);
    await this.#disk.rename(`${path}.tmp`, path);
    await this.#disk.syncFolder(this.#folder);
  }

  async #prune(now: number): Promise<void> {
    let bytes = [...this.#kept.values()].reduce((sum, kept) => sum + kept.bytes, 0);
    for (const [id, kept] of [...this.#kept]) {
      const tooOld = now - Date.parse(kept.record.started) > OLDEST;
      if (!tooOld && this.#kept.size <= MOST && bytes <= MOST_BYTES) continue;
      if (this.#kept.size === 1) return;
      bytes -= kept.bytes;
      this.#kept.delete(id);
      if (this.#folder !== undefined) await this.#disk.remove(join(this.#folder, `${id}.json`));
    }
  }

  /** For a router that takes over and finds no folder; nothing where there is one. */
  get handed(): readonly ReleaseRecord[] {
    return this.#folder === undefined ? [...this.#kept.values()].map(({ record }) => record) : [];
  }
}
