import type { Server, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { DataPlane } from "../../data-plane.ts";
import type { Http2Side } from "./http2-side.ts";
import { tellProtocol } from "./preface.ts";

type Listener = (socket: Socket) => void;

/**
 * Stands between a server of HTTP/1.1 and those who listen to its `connection` event, so that its port speaks HTTP/2,
 * too: by ALPN inside TLS, by the first bytes elsewhere. What has not said yet counts as a connection.
 */
export class TwoProtocols {
  readonly #plane: DataPlane;
  readonly #http2: Http2Side;
  readonly #deliver: Listener;
  readonly #undecided = new Set<Socket>();

  constructor(server: Server, plane: DataPlane, http2: Http2Side) {
    this.#plane = plane;
    this.#http2 = http2;
    const listeners = server.listeners("connection") as Listener[];
    server.removeAllListeners("connection");
    this.#deliver = (socket) => {
      for (const listener of listeners) listener.call(server, socket);
    };
    server.on("connection", (socket) => this.#take(socket));
  }

  /** Cuts those of which not a byte has come, since the server drains. */
  endSilent(): void {
    for (const socket of this.#undecided) if (socket.bytesRead === 0) socket.destroy();
  }

  destroy(): void {
    for (const socket of this.#undecided) socket.destroy();
  }

  #take(socket: Socket): void {
    const { alpnProtocol } = socket as TLSSocket;
    if (alpnProtocol === "h2") return this.#http2.accept(socket);
    if (typeof alpnProtocol === "string") return this.#deliver(socket);
    const plane = this.#plane;
    const forget = () => {
      if (this.#undecided.delete(socket)) plane.connections--;
    };
    plane.connections++;
    this.#undecided.add(socket);
    socket.once("close", forget);
    tellProtocol(socket, plane.config.timeouts.client_header, (protocol) => {
      socket.off("close", forget);
      forget();
      if (protocol === "h2") return this.#http2.accept(socket);
      this.#deliver(socket);
      process.nextTick(() => socket.resume());
    });
  }
}
