import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { InputProblem } from "../problem.ts";

/**
 * Finds out early whether a folder can be written to, or made, and makes nothing.
 * @throws InputProblem if it is a file, or may not be written.
 */
export async function checkFolder(folder: string): Promise<void> {
  for (let path = resolve(folder); ; path = dirname(path)) {
    const stats = await stat(path).catch(() => undefined);
    if (!stats) continue;
    if (!stats.isDirectory()) throw new InputProblem(`cannot write to ${folder}: ${path} is not a folder.`);
    await access(path, constants.W_OK | constants.X_OK).catch(() => {
      throw new InputProblem(`cannot write to ${folder}: ${path} may not be written to.`);
    });
    return;
  }
}

/**
 * Writes files beside their final names, makes them durable, and then gives them their names in the given order, the
 * last of which counts as the commit. A crash at any moment leaves each old file whole.
 *
 * All calls are synchronous on purpose: a signal that has a listener waits until all names are given.
 * @throws InputProblem if the folder cannot be written; no file has changed then.
 */
export function writeTogether(folder: string, files: Readonly<Record<string, string>>): void {
  for (const path of Object.keys(files).map((name) => join(folder, name))) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
      throw new InputProblem(`cannot write to ${folder}: ${path} is a folder.`);
  }
  let made: string | undefined;
  const written: string[] = [];
  try {
    made = makeFolder(resolve(folder));
    sweep(folder);
    for (const [name, text] of Object.entries(files)) {
      const path = temporary(folder, name);
      written.push(path);
      writeDurably(path, text);
    }
    for (const name of Object.keys(files)) renameSync(temporary(folder, name), join(folder, name));
    syncFolder(folder);
  } catch (error) {
    for (const path of written) rmSync(path, { force: true });
    if (made) rmSync(made, { recursive: true, force: true });
    throw new InputProblem(`cannot write to ${folder}: ${(error as Error).message}.`);
  }
}

/** Makes the folder and its parents. Not by `recursive`, which never returns for a folder below /proc (Node 24). */
function makeFolder(folder: string): string | undefined {
  if (existsSync(folder)) return undefined;
  const parent = makeFolder(dirname(folder));
  mkdirSync(folder);
  return parent ?? folder;
}

function temporary(folder: string, name: string): string {
  return join(folder, `.${name}.${process.pid}.tmp`);
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, "w", 0o644);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(folder: string): void {
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Removes what a killed run left behind: temporary files whose process is gone. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /^\.[a-z]+\.[a-z]+\.(\d+)\.tmp$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
