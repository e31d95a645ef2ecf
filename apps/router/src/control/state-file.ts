import { join } from "node:path";
import type { FileColors } from "../core/transitions.ts";
import type { Disk } from "./disk.ts";
import { lockFolder } from "./folder-lock.ts";
import type { Log } from "./log.ts";
import { DamagedError, deserialize, NewerSchemaError, type SavedState, serialize } from "./saved-state.ts";
import { StartError } from "./start-error.ts";
import type { Storage } from "./storage.ts";

const NAME = "state.json";
const PREVIOUS = "state.json.1";
const TEMPORARY = /^state\.json(\.1)?\.tmp$/;
const DAMAGED = /^state\.json.*\.damaged-/;
/** Damaged files are kept for whoever wants to know why, but not without end. */
const DAMAGED_KEPT = 5;

export interface StateFileOptions {
  readonly folder: string;
  readonly disk: Disk;
  readonly log: Log;
  readonly now: () => number;
  /** Keeps other routers out of the folder. Default: {@link lockFolder}. */
  readonly lock?: (folder: string) => () => void;
}

/**
 * The state as one file. A save is: write a temporary file, fsync, keep the old one as the previous generation, rename,
 * fsync the folder. At every moment `state.json`, or else the previous generation, is whole.
 */
export class StateFile implements Storage {
  readonly #options: StateFileOptions;
  readonly #path: string;
  readonly #previous: string;
  #unlock: () => void;

  private constructor(options: StateFileOptions, unlock: () => void) {
    this.#options = options;
    this.#path = join(options.folder, NAME);
    this.#previous = join(options.folder, PREVIOUS);
    this.#unlock = unlock;
  }

  /** Makes the folder, locks it and sweeps what an interrupted save left. @throws StartError */
  static async open(options: StateFileOptions): Promise<StateFile> {
    const { folder, disk, lock = lockFolder } = options;
    try {
      await disk.makeFolder(folder);
      const file = new StateFile(options, lock(folder));
      for (const name of await disk.list(folder)) {
        if (TEMPORARY.test(name)) await disk.remove(join(folder, name));
      }
      return file;
    } catch (error) {
      if (error instanceof StartError) throw error;
      throw unusable(folder, error);
    }
  }

  async load(file: FileColors): Promise<SavedState | undefined> {
    try {
      return (await this.#read(this.#path, file)) ?? (await this.#readPrevious(file));
    } catch (error) {
      if (error instanceof StartError) throw error;
      throw unusable(this.#options.folder, error);
    }
  }

  async #readPrevious(file: FileColors): Promise<SavedState | undefined> {
    const saved = await this.#read(this.#previous, file);
    if (saved !== undefined) {
      const fields = { revision: saved.routing.revision, file: this.#previous };
      this.#options.log.warn(fields, "The newest state is gone; using the one saved before it.");
    }
    return saved;
  }

  async #read(path: string, file: FileColors): Promise<SavedState | undefined> {
    const text = await this.#options.disk.read(path);
    if (text === undefined) return undefined;
    try {
      return deserialize(text, file);
    } catch (error) {
      if (error instanceof DamagedError) return await this.#setAside(path, error);
      if (error instanceof NewerSchemaError) {
        throw new StartError(
          `The state file ${path} ${error.message}: start the newer router, or remove the file.`,
        );
      }
      throw error;
    }
  }

  async #setAside(path: string, reason: DamagedError): Promise<undefined> {
    const { disk, log, now, folder } = this.#options;
    const stamp = new Date(now()).toISOString().replaceAll(":", "-");
    const aside = `${path}.damaged-${stamp}`;
    await disk.rename(path, aside);
    log.error({ file: path, aside, reason: reason.message }, "The state file is damaged and was set aside.");
    const kept = (await disk.list(folder)).filter((name) => DAMAGED.test(name)).sort(byStamp);
    for (const name of kept.slice(0, -DAMAGED_KEPT)) await disk.remove(join(folder, name));
  }

  async save(state: SavedState): Promise<void> {
    const { disk, folder } = this.#options;
    const temporary = `${this.#path}.tmp`;
    try {
      await disk.write(temporary, serialize(state));
      await this.#keepPrevious();
      await disk.rename(temporary, this.#path);
    } catch (error) {
      await disk.remove(temporary).catch(() => {}); // swept at the next start
      throw error;
    }
    await disk.syncFolder(folder).catch((error) => this.#putBack(error));
  }

  /** The old file under its second name, made beside and renamed, so that the generation before is never missing. */
  async #keepPrevious(): Promise<void> {
    const { disk } = this.#options;
    if ((await disk.read(this.#path)) === undefined) return;
    const second = `${this.#previous}.tmp`;
    await disk.duplicate(this.#path, second);
    await disk.rename(second, this.#previous);
  }

  /** The new name is there but may not survive: the save failed, so a restart must not find it either. */
  async #putBack(error: unknown): Promise<never> {
    const { disk, log } = this.#options;
    try {
      const old = await disk.read(this.#previous);
      await (old === undefined ? disk.remove(this.#path) : disk.rename(this.#previous, this.#path));
    } catch (second) {
      log.error({ error: String(second) }, "A change that was refused may be in force after a restart.");
    }
    throw error;
  }

  async close(): Promise<void> {
    this.#unlock();
  }

  async reopen(): Promise<void> {
    const { folder, lock = lockFolder } = this.#options;
    try {
      this.#unlock = lock(folder);
    } catch (error) {
      if (error instanceof StartError) throw error;
      throw unusable(folder, error);
    }
  }
}

const byStamp = (a: string, b: string) => (a.split(".damaged-")[1]! < b.split(".damaged-")[1]! ? -1 : 1);

function unusable(folder: string, error: unknown): StartError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  return new StartError(
    `The state folder ${folder} cannot be used (${code}): make it writable for this user, or set "state: memory".`,
    { cause: error },
  );
}
