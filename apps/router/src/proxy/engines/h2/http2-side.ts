import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { DataPlane } from "../../data-plane.ts";
import { ClientSession } from "./client-session.ts";
import { Ways } from "./ways.ts";

/** Milliseconds until the system asks a silent client whether it is still there. */
const KEEP_ALIVE = 60_000;

export interface Accepted {
  /** What was read of it before its protocol was known. Default: nothing */
  readonly first?: Buffer;
}

/** The HTTP/2 connections of an engine. */
export class Http2Side {
  readonly plane: DataPlane;
  readonly ways: Ways;
  readonly #sessions = new Set<ClientSession>();

  constructor(plane: DataPlane) {
    this.plane = plane;
    this.ways = new Ways(plane);
  }

  /** Connections that are open. */
  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Serves a client that speaks HTTP/2, by its first bytes or by ALPN. Counts as a connection of the plane from here
   * on. The socket has no listeners of others and is paused; it emits what it reads (no `onread`).
   */
  accept(socket: Socket, { first }: Accepted = {}): void {
    if (socket.destroyed) return;
    // HTTP/1.1 answers a client that only sends no more; HTTP/2 has no use for half a connection.
    socket.allowHalfOpen = false;
    socket.setKeepAlive(true, KEEP_ALIVE);
    socket.setNoDelay(true);
    if (first !== undefined && first.length > 0) socket.unshift(first);
    // Only tls.Server says that the handshake of a client is done, and a session would wait for it.
    if (socket instanceof TLSSocket) Object.assign(socket, { secureConnecting: false });
    this.plane.connections++;
    this.#sessions.add(new ClientSession(this, socket));
    socket.read(0); // a session takes what a socket reads, but does not have it read
  }

  onGone(session: ClientSession): void {
    if (this.#sessions.delete(session)) this.plane.connections--;
  }

  /**
   * To be called when the listener has closed, and again every now and then: asks the clients to leave, and the next
   * time refuses new streams to those that were asked; a connection ends with its last stream.
   */
  drain(): void {
    for (const session of this.#sessions) if (!session.announceEnd()) session.close();
  }

  /** Cuts all connections. @returns how many there were */
  destroy(): number {
    const { size } = this.#sessions;
    for (const session of [...this.#sessions]) session.destroy();
    return size;
  }

  /** The connections to targets end. */
  close(): void {
    this.ways.close();
  }
}
