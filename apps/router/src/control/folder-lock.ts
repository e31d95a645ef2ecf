import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "./start-error.ts";

const LOCKED = 5; // SQLITE_BUSY

/**
 * Keeps a second router out of a state folder. Node has no flock; SQLite's exclusive lock on an empty file is the same
 * thing: the kernel holds it for the process and frees it with the process, so a kill -9 leaves nothing stale, and it
 * works between containers that share the folder, where process numbers say nothing.
 * @returns a function that gives the folder back
 * @throws StartError another process has it
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, "lock");
  closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE"); // nothing is ever written, so no journal either
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== LOCKED) throw error;
    throw new StartError(`The state folder ${folder} is in use by another router: give each its own folder.`);
  }
  return () => database.close();
}
