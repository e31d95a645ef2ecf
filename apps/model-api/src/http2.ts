import type { Server } from "node:http";
import {
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { tellProtocol } from "./first-bytes.ts";

/** Milliseconds. The first bytes as soon as HTTP/1.1's head; idle connections as long as HTTP/1.1's. */
const TIMEOUTS = { firstBytes: 20_000, idle: 90_000, tcpKeepAlive: 60_000 };

/** A peer that breaks these is cut off. nghttp2 itself bounds CONTINUATION frames and unanswered control frames. */
const LIMITS = {
  settings: { maxConcurrentStreams: 128, maxHeaderListSize: 16_384 },
  maxHeaderListPairs: 100,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  maxSessionMemory: 16,
  /** Rapid reset, CVE-2023-44487: streams that a client may reset at once, and then in a second. */
  streamResetBurst: 200,
  streamResetRate: 33,
};

/** The largest stream id: a GOAWAY with it announces the end and refuses nothing yet (RFC 9113 section 6.8). */
const LAST_STREAM = 2 ** 31 - 1;

export type Http2Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** The HTTP/2 connections of a server. */
export interface Http2Side {
  /** Called with each request's path and its answer, as it begins. */
  onRequest(listener: (path: string, response: Http2ServerResponse) => void): void;
  /**
   * Asks the clients of now to leave, and refuses nothing yet. Who connects anew is not asked until this is called again:
   * many a client waits a second before it connects once more.
   */
  announceEnd(): void;
  /** Refuses new streams; a connection ends with its last one. */
  close(): void;
  /** Cuts what is there, also connections that have not said yet what they speak. */
  destroy(): void;
}

/** Lets a server speak HTTP/2 with prior knowledge on its port too; the first bytes tell. To be called before it listens. */
export function addHttp2(server: Server, listener: Http2Listener): Http2Side {
  const http1 = server.listeners("connection") as ((socket: Socket) => void)[];
  const http2 = createServer(LIMITS, listener);
  const undecided = new Set<Socket>();
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    undecided.add(socket);
    const forget = () => undecided.delete(socket);
    socket.once("close", forget);
    tellProtocol(socket, TIMEOUTS.firstBytes, (protocol) => {
      forget();
      if (protocol === "h2") {
        // So that a client that vanished does not leave a stream open for ever.
        socket.setKeepAlive(true, TIMEOUTS.tcpKeepAlive);
        // HTTP/1.1 answers a client that only sends no more; HTTP/2 has no use for half a connection.
        socket.allowHalfOpen = false;
        return http2.emit("connection", socket);
      }
      for (const accept of http1) accept.call(server, socket);
      process.nextTick(() => socket.resume());
    });
  });
  const sessions = new Sessions();
  http2.on("session", (session) => sessions.add(session));
  return {
    onRequest: (listener) =>
      http2.prependListener("request", ({ url }: Http2ServerRequest, response: Http2ServerResponse) =>
        listener(url, response),
      ),
    announceEnd: () => sessions.announceEnd(),
    close: () => sessions.close(),
    destroy() {
      sessions.destroy();
      for (const socket of undecided) socket.destroy();
    },
  };
}

class Sessions {
  /** With the streams that are open. */
  readonly #open = new Map<ServerHttp2Session, number>();
  readonly #told = new WeakSet<ServerHttp2Session>();
  #closed = false;

  add(session: ServerHttp2Session): void {
    this.#open.set(session, 0);
    session.once("close", () => this.#open.delete(session));
    session.setTimeout(TIMEOUTS.idle, () => {
      if (this.#open.get(session) === 0) session.close();
    });
    session.on("stream", (stream) => {
      this.#count(session, 1);
      stream.once("close", () => this.#count(session, -1));
    });
    if (this.#closed) session.close();
  }

  announceEnd(): void {
    for (const session of this.#open.keys()) {
      if (this.#told.has(session) || session.destroyed || session.closed) continue;
      this.#told.add(session);
      session.goaway(0, LAST_STREAM);
    }
  }

  close(): void {
    this.#closed = true;
    for (const session of this.#open.keys()) session.close();
  }

  destroy(): void {
    for (const session of this.#open.keys()) session.destroy();
  }

  #count(session: ServerHttp2Session, change: number): void {
    const open = this.#open.get(session);
    if (open !== undefined) this.#open.set(session, open + change);
  }
}

/** What still comes of a request that is answered is not wanted (RFC 9113 section 8.1); the answer goes out before. */
export function dropRest(stream: ServerHttp2Stream): void {
  setImmediate(() => {
    if (!stream.readableEnded) stream.close();
  });
}
