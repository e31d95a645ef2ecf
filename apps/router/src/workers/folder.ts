import { chmodSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { StartError } from "../control/start-error.ts";

/** A worker's name: its number, never used twice while anybody remembers it, and its process. */
export interface WorkerName {
  readonly id: number;
  readonly pid: number;
}

const SOCKET = /^(\d+)-(\d+)\.sock$/;
/** What the system's address of a Unix socket has room for, and what of that a socket's own name may need. */
const LONGEST_PATH = 103;
const LONGEST_NAME = 24;

export const workersFolder = (state: string): string => join(state, "workers");

/** Where a worker is talked to. The name says its process, so that one that does not answer can be ended too. */
export const socketPath = (folder: string, { id, pid }: WorkerName): string =>
  join(folder, `${id}-${pid}.sock`);

/** The sockets that are there, oldest first. Whether anybody listens on them is another question. */
export function listWorkers(folder: string): WorkerName[] {
  let names: string[] = [];
  try {
    names = readdirSync(folder);
  } catch {} // no folder, no workers
  return names
    .map((name) => SOCKET.exec(name))
    .filter((match) => match !== null)
    .map(([, id, pid]) => ({ id: Number(id), pid: Number(pid) }))
    .sort((a, b) => a.id - b.id);
}

export function forgetWorker(folder: string, name: WorkerName): void {
  rmSync(socketPath(folder, name), { force: true });
}

/** Makes the folder, for this user alone: whoever reaches these sockets commands the workers. @throws StartError */
export function makeFolder(folder: string): void {
  if (Buffer.byteLength(folder) + LONGEST_NAME > LONGEST_PATH) {
    throw new StartError(
      `The folder ${folder} has too long a path for the sockets of workers: choose a state folder with a path of at most ${LONGEST_PATH - LONGEST_NAME - "/workers".length} bytes, or set "workers: 1".`,
    );
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
}
