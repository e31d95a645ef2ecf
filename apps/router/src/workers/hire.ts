import type { Address } from "../config/config.ts";
import { cannotListen } from "../http-server.ts";
import { withListeningSocket } from "./bind.ts";
import type { Link } from "./link.ts";
import { ownProgram, spawnWorker } from "./spawn.ts";

/**
 * Starts workers where none holds the listening socket: opens it, and all of them inherit it. Resolves with their
 * process numbers, undefined for those that failed.
 * @throws StartError the address cannot be had
 */
export async function hireFirst(
  listen: Address,
  workers: readonly number[],
  folder: string,
): Promise<(number | undefined)[]> {
  const program = ownProgram();
  const started = await withListeningSocket(listen, (fd) =>
    workers.map((worker) => spawnWorker({ program, worker, folder, fd }).catch(() => undefined)),
  ).catch((error: NodeJS.ErrnoException) => {
    throw cannotListen("listen", listen, error);
  });
  return await Promise.all(started);
}

/** Has a worker that holds the listening socket start others. */
export function hireThrough(holder: Link, workers: readonly number[]): Promise<(number | undefined)[]> {
  return Promise.all(workers.map((worker) => holder.spawn(worker, ownProgram())));
}
