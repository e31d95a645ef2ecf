import { constants, createReadStream } from "node:fs";
import { chmod, copyFile, link, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";

/** The file operations that durable state is made of; each may fail, and tests make each fail. */
export interface Disk {
  makeFolder(path: string): Promise<void>;
  list(folder: string): Promise<string[]>;
  /** Undefined when there is no such file. */
  read(path: string): Promise<string | undefined>;
  /** The lines of a file that may be larger than any string, some at a time; none when there is no such file. */
  lines(path: string): AsyncIterable<readonly string[]>;
  /** Writes a new file of mode 0600 and waits until its bytes are on the disk. */
  write(path: string, text: string): Promise<void>;
  /** Adds to the end of a file of mode 0600, which is made where there is none, and waits until the bytes are on the disk. */
  append(path: string, text: string): Promise<void>;
  /** A second name for the same file, or a copy where the file system has no links. Replaces `to`. */
  duplicate(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Waits until names that were made, changed or removed in the folder are on the disk. */
  syncFolder(folder: string): Promise<void>;
}

/** Bytes of a file that are in memory while its lines are read. */
const READ_AT_ONCE = 1024 * 1024;
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

export const disk: Disk = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  list: (folder) => readdir(folder),
  async read(path) {
    return await readFile(path, "utf8").catch(absent);
  },
  async *lines(path) {
    let rest = "";
    try {
      for await (const text of createReadStream(path, { encoding: "utf8", highWaterMark: READ_AT_ONCE })) {
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        yield lines;
      }
    } catch (error) {
      absent(error as NodeJS.ErrnoException);
    }
    yield [rest];
  },
  async write(path, text) {
    await rm(path, { force: true });
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  async append(path, text) {
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  async duplicate(from, to) {
    await rm(to, { force: true });
    await link(from, to).catch((error: NodeJS.ErrnoException) => {
      if (NO_LINKS.has(error.code ?? "")) return copy(from, to);
      throw error;
    });
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  async syncFolder(folder) {
    const handle = await open(folder, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

async function copy(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await chmod(to, 0o600);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
  return undefined;
}
