import { stat } from "node:fs/promises";

export interface WatchedOptions<T> {
  /** The option that names the files. */
  readonly key: string;
  readonly paths: readonly string[];
  /** Reads the files. @throws Error in one sentence that names the file */
  readonly load: () => T;
  /** Why a new value may not take the place of the old one; undefined where it may. */
  readonly refuse?: (next: T, old: T) => string | undefined;
}

export type Looked<T> =
  | { readonly kind: "unchanged" }
  | { readonly kind: "changed"; readonly value: T }
  | { readonly kind: "failed"; readonly why: string };

/**
 * What is read from files, and read anew when they change. They are looked at through every link on their way, so that a
 * swapped link (certbot), a renamed file and a swapped folder (Kubernetes) are all the same. Two files are never replaced
 * in one moment: what cannot be used gets a second look before it counts as failed.
 */
export class WatchedFiles<T> {
  readonly key: string;
  value: T;
  readonly #options: WatchedOptions<T>;
  #seen = "";
  /** What could not be used when it was last looked at. */
  #doubtful: string | undefined;

  /** @throws Error the option, and what `load` says */
  constructor(options: WatchedOptions<T>) {
    this.key = options.key;
    this.#options = options;
    try {
      this.value = options.load();
    } catch (error) {
      throw new Error(`${options.key}: ${(error as Error).message}`);
    }
  }

  /** Remembers how the files are now. */
  async begin(): Promise<void> {
    this.#seen = await this.#signature();
  }

  /** Reads the files if they have changed. */
  async look(): Promise<Looked<T>> {
    const signature = await this.#signature();
    if (signature === this.#seen) return { kind: "unchanged" };
    try {
      const next = this.#options.load();
      const refused = this.#options.refuse?.(next, this.value);
      if (refused !== undefined) throw new Error(refused);
      return this.#take(next, signature);
    } catch (error) {
      const isNew = this.#doubtful !== signature;
      this.#doubtful = signature;
      if (isNew) return { kind: "unchanged" };
      this.#seen = signature;
      return { kind: "failed", why: (error as Error).message };
    }
  }

  #take(next: T, signature: string): Looked<T> {
    const same = JSON.stringify(next) === JSON.stringify(this.value);
    this.#seen = signature;
    this.#doubtful = undefined;
    this.value = next;
    return same ? { kind: "unchanged" } : { kind: "changed", value: next };
  }

  async #signature(): Promise<string> {
    const all = this.#options.paths.map(async (path) => {
      const found = await stat(path, { bigint: true }).catch(() => undefined);
      if (found === undefined) return "none";
      const { dev, ino, size, mtimeNs, ctimeNs } = found;
      return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
    });
    return (await Promise.all(all)).join();
  }
}
