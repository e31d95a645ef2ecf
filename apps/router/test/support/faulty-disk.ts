import { type Disk, disk } from "../../src/control/disk.ts";

/** The machine's disk, on which the named steps fail, or hang, when a test says so. */
export class FaultyDisk implements Disk {
  readonly faults = new Map<keyof Disk, string>();
  /** Steps that wait until they are released. */
  hang: Promise<void> | undefined;

  async #step<T>(name: keyof Disk, run: () => Promise<T>): Promise<T> {
    const code = this.faults.get(name);
    if (code !== undefined) throw Object.assign(new Error(`${code}: ${name}`), { code });
    return await run();
  }

  makeFolder = (path: string) => this.#step("makeFolder", () => disk.makeFolder(path));
  list = (folder: string) => this.#step("list", () => disk.list(folder));
  read = (path: string) => this.#step("read", () => disk.read(path));
  async *lines(path: string) {
    await this.#step("lines", async () => {});
    yield* disk.lines(path);
  }
  write = (path: string, text: string) =>
    this.#step("write", async () => {
      await this.hang;
      await disk.write(path, text);
    });
  append = (path: string, text: string) =>
    this.#step("append", async () => {
      await this.hang;
      await disk.append(path, text);
    });
  duplicate = (from: string, to: string) => this.#step("duplicate", () => disk.duplicate(from, to));
  rename = (from: string, to: string) => this.#step("rename", () => disk.rename(from, to));
  remove = (path: string) => this.#step("remove", () => disk.remove(path));
  syncFolder = (folder: string) => this.#step("syncFolder", () => disk.syncFolder(folder));
}
