import type { Address } from "../config/config.ts";
import { cannotListen } from "../http-server.ts";
import { withListeningSocket } from "./bind.ts";
import type { Link } from "./link.ts";
import { ownProgram, spawnWorker } from "./spawn.ts";

/** An address to open, or the descriptor of a listening socket that this process has. */
export type Origin = Address | { readonly fd: number };

/**
 * Starts workers where none holds the listening socket: opens it, if it is not open yet, and all of them inherit it.
 * Resolves with their process numbers, undefined for those that failed.
 * @throws StartError the address cannot be had
 */
export async function hireFirst(
  origin: Origin,
  workers: readonly number[],
  folder: string,
): Promise<(number | undefined)[]> {
  const program = ownProgram();
  const start = (fd: number) =>
    workers.map((worker) => spawnWorker({ program, worker, folder, fd }).catch(() => undefined));
  if ("fd" in origin) return await Promise.all(start(origin.fd));
  const started = await withListeningSocket(origin, start).catch((error: NodeJS.ErrnoException) => {
    throw cannotListen("listen", origin, error);
  });
  return await Promise.all(started);
}

/** Has a worker that holds the listening socket start others. */
export function hireThrough(holder: Link, workers: readonly number[]): Promise<(number | undefined)[]> {
  return Promise.all(workers.map((worker) => holder.spawn(worker, ownProgram())));
}
