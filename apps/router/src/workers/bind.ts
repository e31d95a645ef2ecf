import { createServer, type Server } from "node:net";
import type { Address } from "../config/config.ts";
import { listeningFd } from "../listening-fd.ts";

/**
 * Opens a listening socket and lends it to `use`, which hands it to processes, synchronously: then it is closed here,
 * before this process has looked for connections even once, and lives on in those that inherited it.
 */
export function withListeningSocket<T>(address: Address, use: (fd: number) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen({ host: address.host, port: address.port, backlog: 1024 }, () => {
      try {
        resolve(use(fdOf(server)));
      } catch (error) {
        reject(error as Error);
      } finally {
        server.close();
      }
    });
  });
}

function fdOf(server: Server): number {
  const fd = listeningFd(server);
  if (fd === undefined) throw new Error("The listening socket has no descriptor to inherit.");
  return fd;
}
