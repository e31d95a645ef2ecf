import { chmod, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { disk } from "../../control/disk.ts";
import { CliError } from "../errors.ts";

/** What is in a file, or undefined when there is none. @throws CliError it cannot be read */
export async function readIfThere(path: string): Promise<string | undefined> {
  return disk.read(path).catch((error) => fail("read", path, error));
}

/**
 * Replaces a file whole, or not at all, and waits until that is on the disk. An old file keeps its mode and, if it is a
 * symbolic link, its place; a new one is for this user alone.
 * @throws CliError it cannot be written; the old one is as it was
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const place = await realpath(path).catch(() => path);
  const temporary = `${place}.tmp-${process.pid}`;
  try {
    const old = await stat(place).catch(() => undefined);
    await disk.write(temporary, text);
    if (old) await chmod(temporary, old.mode & 0o7777);
    await disk.rename(temporary, place);
    await disk.syncFolder(dirname(place));
  } catch (error) {
    await disk.remove(temporary).catch(() => {});
    fail("write", path, error);
  }
}

/** Removes a file that may not be there. @throws CliError */
export async function removeFile(path: string): Promise<void> {
  await disk.remove(path).catch((error) => fail("remove", path, error));
}

/** Milliseconds since 1970 as a name of a file can have it. */
export const stamp = (now = Date.now()): string => new Date(now).toISOString().replaceAll(":", "-");

function fail(what: string, path: string, error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException;
  const why: Record<string, string> = {
    ENOSPC: "the disk is full",
    EDQUOT: "the quota is used up",
    EROFS: "the file system is read-only",
    EACCES: "this user may not",
    EPERM: "this user may not",
  };
  throw new CliError(`cannot ${what} ${path}: ${why[code ?? ""] ?? code ?? message}.`);
}
