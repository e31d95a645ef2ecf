import type { Server } from "node:net";

/** The descriptor of a server's listening socket, for processes that inherit it. Node has no public name for it. */
export function listeningFd(server: Server): number | undefined {
  const { _handle: handle } = server as unknown as { _handle: { fd: number } | null };
  return handle !== null && Number.isInteger(handle?.fd) && handle.fd >= 0 ? handle.fd : undefined;
}
