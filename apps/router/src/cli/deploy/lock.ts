import { mkdirSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { lockFolder } from "../../control/folder-lock.ts";
import { StartError } from "../../control/start-error.ts";
import { CliError } from "../errors.ts";
import { readIfThere, removeFile, replaceFile } from "./files.ts";
import { parseJson } from "./journal.ts";

const holder = z.object({
  pid: z.number(),
  user: z.string(),
  host: z.string(),
  since: z.string(),
  what: z.string(),
});
export type Holder = z.infer<typeof holder>;

export interface Lock {
  /** Who had it and died with it. */
  readonly stale: Holder | undefined;
  release(): Promise<void>;
}

/** Who runs this command, for journals and locks. */
export function self(): { pid: number; user: string; host: string } {
  return { pid: process.pid, user: userName(), host: hostname() };
}

/**
 * Keeps a second deploy out of the folder. The kernel holds the lock for this process and frees it with it, so a lock is
 * never left behind; the file beside it only says whose it is.
 * @throws CliError somebody else has it, or the folder cannot be used
 */
export async function takeLock(folder: string, what: string): Promise<Lock> {
  const path = join(folder, "lock.json");
  let unlock: () => void;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    unlock = lockFolder(folder);
  } catch (error) {
    if (error instanceof StartError) throw new CliError(refusal(await readHolder(path), folder));
    const code = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new CliError(`the deploy folder ${folder} cannot be used (${code}).`);
  }
  try {
    const stale = await readHolder(path);
    await replaceFile(path, JSON.stringify({ ...self(), since: new Date().toISOString(), what }));
    return { stale, release: () => removeFile(path).finally(unlock) };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** `process 123 of ana on vm1, since 2026-11-21T20:00:00Z: deploy of sluice-api:1.0.1`. */
export const describeHolder = ({ pid, user, host, since, what }: Holder): string =>
  `process ${pid} of ${user} on ${host}, since ${since}: ${what}`;

async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readIfThere(path);
  return text === undefined ? undefined : parseJson(text, holder);
}

function refusal(by: Holder | undefined, folder: string): string {
  const who = by ? describeHolder(by) : "a process that has not said its name yet";
  return `another deploy is under way in ${folder} (${who}). Wait for it, or end it with Ctrl-C.`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "unknown"; // a container's user without a name
  }
}
