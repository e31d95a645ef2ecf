import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

const carriers = new WeakMap<TLSSocket, Socket>();

/** Notes what carries a connection's bytes, for {@link reset}. */
export function carriedBy(socket: TLSSocket, carrier: Socket): void {
  carriers.set(socket, carrier);
}

/** Ends a connection so that its other end notices, also inside TLS, where Node itself knows no reset. */
export function reset(socket: Socket): void {
  if (!(socket instanceof TLSSocket)) {
    socket.resetAndDestroy();
    return;
  }
  carriers.get(socket)?.resetAndDestroy();
  socket.destroy();
}
