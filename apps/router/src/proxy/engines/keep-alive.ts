import type { Socket } from "node:net";

/** Milliseconds of silence after which a peer that may be silent is asked whether it is still there (TCP keep-alive). */
const PROBE_AFTER = 30_000;

/** For a connection that may be silent for as long as it likes. */
export function probeWhileSilent(socket: Socket): void {
  socket.setKeepAlive?.(true, PROBE_AFTER); // what stands in for a socket may have none
}
