import type { Server, Socket } from "node:net";
import { createServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import type { DataPlane } from "../data-plane.ts";
import { writeProblem } from "../engines/problem.ts";
import type { Contexts } from "./contexts.ts";
import { carriedBy } from "./reset.ts";

/** What is offered inside TLS, best first. */
export const ALPN: readonly string[] = ["h2", "http/1.1"];

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

interface Handshake {
  readonly carrier: Socket;
  readonly timer: NodeJS.Timeout;
  /** It was TLS that came. */
  tried: boolean;
}

/**
 * Stands between a listening server and those who listen to its `connection` event: from now on they get sockets whose
 * handshake is done, with the client's choice in `alpnProtocol`. A handshake has `timeouts.client_header` from the
 * connection on, and counts as a connection.
 */
export class Handshakes {
  readonly #plane: DataPlane;
  readonly #tls: TlsServer;
  /** Those that are under way, by their addresses: Node does not say which of them a secure socket was. */
  readonly #open = new Map<string, Handshake>();
  #contexts: Contexts | undefined;

  /** @param alpn protocols that are spoken here, best first; a client that offers none of them is refused (RFC 7301) */
  constructor(server: Server, plane: DataPlane, alpn: readonly string[]) {
    this.#plane = plane;
    const listeners = server.listeners("connection") as Listener[];
    server.removeAllListeners("connection");
    this.#tls = createServer({
      ALPNProtocols: [...alpn],
      SNICallback: (name, answer) => answer(null, this.#contexts?.select(name)),
    });
    this.#tls.on("secureConnection", (socket) => {
      if (!this.#done(socket)) return;
      for (const listener of listeners) listener.call(server, socket);
    });
    server.on("connection", (carrier) => this.#begin(carrier));
  }

  /** Cuts those that are under way. */
  destroy(): void {
    for (const { carrier } of this.#open.values()) carrier.destroy();
  }

  /** Cuts those of which not a byte has come, since the server drains. */
  endSilent(): void {
    for (const { carrier } of this.#open.values()) if (carrier.bytesRead === 0) carrier.destroy();
  }

  #begin(carrier: Socket): void {
    const key = addressesOf(carrier);
    const timer = setTimeout(() => carrier.destroy(), this.#plane.config.timeouts.client_header);
    const handshake: Handshake = { carrier, timer, tried: false };
    this.#plane.connections++;
    this.#open.set(key, handshake);
    carrier.once("close", () => {
      if (this.#end(key, handshake) && handshake.tried) this.#plane.handshakes.failed++;
    });
    carrier.on("error", () => carrier.destroy());
    const silent = () => carrier.destroy(); // before anything was said
    carrier.once("end", silent);
    carrier.once("data", (bytes: Buffer) => {
      carrier.off("end", silent);
      carrier.pause();
      this.#begun(handshake, bytes);
    });
    carrier.resume();
  }

  #begun(handshake: Handshake, bytes: Buffer): void {
    const { carrier } = handshake;
    this.#follow();
    if (bytes[0] === HANDSHAKE && this.#contexts) {
      handshake.tried = true;
      carrier.unshift(bytes);
      this.#tls.emit("connection", carrier);
    } else if (isUpperCase(bytes[0]!)) this.#refuse(carrier);
    else carrier.destroy();
  }

  /** The certificates of this moment. */
  #follow(): void {
    const { contexts } = this.#plane;
    if (contexts === this.#contexts) return;
    this.#contexts = contexts;
    if (contexts) this.#tls.setSecureContext(contexts.fallback);
  }

  /** @returns false for one that has just been given up */
  #done(socket: TLSSocket): boolean {
    const key = addressesOf(socket);
    const handshake = this.#open.get(key);
    if (!handshake) {
      socket.destroy();
      return false;
    }
    socket.disableRenegotiation();
    carriedBy(socket, handshake.carrier);
    this.#plane.handshakes.done++;
    return this.#end(key, handshake);
  }

  #end(key: string, handshake: Handshake): boolean {
    if (this.#open.get(key) !== handshake) return false;
    clearTimeout(handshake.timer);
    this.#plane.connections--;
    return this.#open.delete(key);
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

/** What tells a connection from every other that is open (RFC 9293 section 3.1). */
function addressesOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function isUpperCase(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}
