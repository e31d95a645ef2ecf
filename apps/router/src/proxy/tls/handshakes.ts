import type { Server, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { DataPlane } from "../data-plane.ts";
import { writeProblem } from "../engines/problem.ts";
import { carriedBy } from "./reset.ts";

/** What is offered inside TLS, best first. */
export const ALPN: readonly string[] = ["http/1.1"];

/** The first byte of a TLS connection: a record of type handshake (RFC 8446 section 5.1). */
const HANDSHAKE = 0x16;
/** How long a client that is told off is still read, in milliseconds; see RFC 9112 section 9.6. */
const LINGER = 2000;

const NOT_TLS = {
  status: 400,
  title: "Bad Request",
  detail: "This port speaks HTTPS, and the request came without TLS; use https:// in the URL.",
};

type Listener = (socket: Socket) => void;

/**
 * Stands between a listening server and those who listen to its `connection` event: from now on they get sockets whose
 * handshake is done, with the client's choice in `alpnProtocol`. A handshake has `timeouts.client_header` from the
 * connection on, and counts as a connection.
 */
export class Handshakes {
  readonly #plane: DataPlane;
  readonly #alpn: readonly string[];
  readonly #deliver: Listener;
  readonly #open = new Set<Socket>();

  /** @param alpn protocols that are spoken here, best first; a client that offers none of them is refused (RFC 7301) */
  constructor(server: Server, plane: DataPlane, alpn: readonly string[]) {
    this.#plane = plane;
    this.#alpn = alpn;
    const listeners = server.listeners("connection") as Listener[];
    server.removeAllListeners("connection");
    this.#deliver = (socket) => {
      for (const listener of listeners) listener.call(server, socket);
    };
    server.on("connection", (carrier) => this.#begin(carrier));
  }

  /** Cuts those that are under way. */
  destroy(): void {
    for (const carrier of this.#open) carrier.destroy();
  }

  /** Cuts those of which not a byte has come, since the server drains. */
  endSilent(): void {
    for (const carrier of this.#open) if (carrier.bytesRead === 0) carrier.destroy();
  }

  #begin(carrier: Socket): void {
    const plane = this.#plane;
    plane.connections++;
    this.#open.add(carrier);
    const timer = setTimeout(() => carrier.destroy(), plane.config.timeouts.client_header);
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      this.#open.delete(carrier);
      plane.connections--;
    };
    carrier.once("close", end);
    carrier.on("error", () => carrier.destroy());
    const silent = () => carrier.destroy(); // before anything was said
    carrier.once("end", silent);
    carrier.once("data", (bytes: Buffer) => {
      carrier.off("end", silent);
      this.#begun(carrier, bytes, end);
    });
    carrier.resume();
  }

  #begun(carrier: Socket, bytes: Buffer, end: () => void): void {
    carrier.pause();
    if (bytes[0] === HANDSHAKE && this.#plane.contexts) {
      carrier.unshift(bytes);
      this.#secure(carrier, end);
    } else if (isUpperCase(bytes[0]!)) this.#refuse(carrier);
    else carrier.destroy();
  }

  #secure(carrier: Socket, end: () => void): void {
    const contexts = this.#plane.contexts!;
    const socket = new TLSSocket(carrier, {
      isServer: true,
      secureContext: contexts.fallback,
      SNICallback: (name, answer) => answer(null, contexts.select(name)),
      ALPNProtocols: [...this.#alpn],
    });
    const failed = () => socket.destroy();
    const gone = () => {
      this.#plane.handshakes.failed++;
      carrier.destroy();
    };
    socket.once("error", failed);
    socket.once("close", gone);
    socket.once("secure", () => {
      socket.off("close", gone);
      socket.disableRenegotiation();
      this.#plane.handshakes.done++;
      end();
      carriedBy(socket, carrier);
      this.#deliver(socket);
      socket.off("error", failed);
    });
  }

  /** A browser or a model client that was given http:// for this port; others get no answer that they could read. */
  #refuse(carrier: Socket): void {
    const plane = this.#plane;
    const facts = { method: "OTHER", path: "", header: () => undefined, peer: carrier.remoteAddress ?? "" };
    const id = plane.idOf(facts);
    carrier.destroySoon = () => carrier.end();
    const bytes = writeProblem(carrier, { ...NOT_TLS, fields: [["X-Request-Id", id]] }, id);
    plane.refused(facts, { id, status: NOT_TLS.status, bytes });
    const timer = setTimeout(() => carrier.destroy(), LINGER);
    carrier.once("close", () => clearTimeout(timer));
    carrier.once("end", () => carrier.destroy());
    carrier.resume();
  }
}

function isUpperCase(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}
