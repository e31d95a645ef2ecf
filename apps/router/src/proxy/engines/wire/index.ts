import { createServer, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Address, Config } from "../../../config/config.ts";
import { listeningFd } from "../../../listening-fd.ts";
import type { DataPlane } from "../../data-plane.ts";
import { type CreateEngine, type Engine, IDLE_GRACE, type Listen } from "../../engine.ts";
import { ALPN, Handshakes } from "../../tls/handshakes.ts";
import { everyExchangeCounted } from "../counted.ts";
import { Http2Side } from "../h2/http2-side.ts";
import { lastCallAfter } from "../last-call.ts";
import { listenOn } from "../listen.ts";
import { ClientConnection } from "./client-connection.ts";
import type { Engine as Parts } from "./engine-parts.ts";
import { Head } from "./head.ts";
import { HedgeQueue } from "./hedge-queue.ts";
import { Pool } from "./pool.ts";
import { Timers } from "./timers.ts";

/** How often the configuration is looked at, in milliseconds. */
const FOLLOWING = 100;
const READ_BUFFER = 64 * 1024;
/** Bounds on an answer's head, wider than a client's: it is ours to trust more. */
const ANSWER_HEADER = 64 * 1024;
const ANSWER_FIELDS = 500;

/** The engine directly on sockets: HTTP/1.1 read and written byte by byte. */
export const createWireEngine: CreateEngine = (plane) => new WireEngine(plane);

class WireEngine implements Engine, Parts {
  readonly plane: DataPlane;
  readonly timers: Timers;
  readonly pool: Pool;
  readonly hedges: HedgeQueue;
  readonly http2: Http2Side;
  readonly requestHead = new Head();
  readonly answerHead = new Head();
  readonly readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER);
  readonly answerHeader = ANSWER_HEADER;
  readonly answerFields = ANSWER_FIELDS;
  draining = false;
  readonly #server: Server;
  readonly #connections = new Set<ClientConnection>();
  readonly #handshakes: Handshakes | undefined;
  readonly #following: NodeJS.Timeout;
  #config: Config;
  #date = "";
  #dateAt = 0;

  constructor(plane: DataPlane) {
    this.plane = plane;
    this.#config = plane.config;
    this.timers = new Timers(plane.config.timeouts, plane.now);
    this.pool = new Pool(this);
    this.hedges = new HedgeQueue(plane.now);
    this.http2 = new Http2Side(plane);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) =>
      this.#connected(socket),
    );
    this.#server.maxConnections = plane.config.limits.connections;
    this.#handshakes = plane.config.tls && new Handshakes(this.#server, plane, ALPN);
    this.#following = setInterval(() => this.#follow(), FOLLOWING).unref();
  }

  get fd(): number | undefined {
    return listeningFd(this.#server);
  }

  listen(where: Listen): Promise<Address> {
    return listenOn(this.#server, where);
  }

  async drain(deadline: number, grace = IDLE_GRACE): Promise<number> {
    this.draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // after the sockets were looked at: what has arrived while this process was busy is no idle connection
    const idle = setInterval(() => setImmediate(() => this.#endIdle(grace)), grace);
    this.http2.drain();
    let cut = 0;
    const lastCall = setTimeout(() => this.plane.lastCall(), lastCallAfter(deadline));
    const hard = setTimeout(() => {
      cut = this.#connections.size + this.http2.destroy();
      for (const connection of [...this.#connections]) connection.destroy();
      this.#handshakes?.destroy();
    }, deadline);
    await closed;
    clearInterval(idle);
    clearTimeout(lastCall);
    clearTimeout(hard);
    await everyExchangeCounted(this.plane);
    this.hedges.stop();
    this.pool.close();
    this.http2.close();
    this.timers.stop();
    clearInterval(this.#following);
    return cut;
  }

  closed(connection: ClientConnection): void {
    if (this.#connections.delete(connection)) this.plane.connections--;
  }

  date(): string {
    const now = this.plane.now();
    if (now - this.#dateAt >= 1000 || this.#date === "") {
      this.#dateAt = now;
      this.#date = new Date().toUTCString();
    }
    return this.#date;
  }

  /** What the plane's configuration says now, where it is not read for each request. */
  #follow(): void {
    const { config } = this.plane;
    if (config === this.#config) return;
    this.#config = config;
    this.timers.follow(config.timeouts);
    this.#server.maxConnections = config.limits.connections;
  }

  #connected(socket: Socket): void {
    if ((socket as TLSSocket).alpnProtocol === "h2") return this.http2.accept(socket);
    this.plane.connections++;
    this.#connections.add(new ClientConnection(this, socket));
  }

  #endIdle(grace: number): void {
    const since = this.plane.now() - grace;
    for (const connection of [...this.#connections]) connection.endIfIdle(since);
    this.http2.drain();
    this.#handshakes?.endSilent();
  }
}
