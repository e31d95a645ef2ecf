import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import type { Address } from "../../../config/config.ts";
import { type Admitted, admit, isRefusal, type Refusal } from "../../../core/request-line.ts";
import { listeningFd } from "../../../listening-fd.ts";
import type { DataPlane } from "../../data-plane.ts";
import { type CreateEngine, type Engine, IDLE_GRACE, type Listen } from "../../engine.ts";
import { ALPN, Handshakes } from "../../tls/handshakes.ts";
import { everyExchangeCounted } from "../counted.ts";
import { Http2Side } from "../h2/http2-side.ts";
import { TwoProtocols } from "../h2/two-protocols.ts";
import { lastCallAfter } from "../last-call.ts";
import { listenOn } from "../listen.ts";
import type { Problem } from "../problem.ts";
import { hasBody } from "../request-body.ts";
import { fieldsOf } from "./answer.ts";
import { Connection, type Turn } from "./connection.ts";
import { type Means, RequestHandler } from "./handle-request.ts";
import { holdRequest, holdUpgrade } from "./held.ts";
import { mendedProxy } from "./mended-proxy.ts";
import { nodeServer } from "./node-server.ts";
import { factsOf, Pools } from "./outgoing.ts";
import { CONNECT_REFUSED, problemOf, refuse, refuseOnSocket, UNREADABLE } from "./refusals.ts";
import { openTunnel } from "./tunnel.ts";

/** The engine on Node's own HTTP parser and the package http-proxy, mended where it loses or leaks (docs/engines.md). */
export const createHttpProxyEngine: CreateEngine = (plane) => new HttpProxyEngine(plane);

class HttpProxyEngine implements Engine {
  readonly #plane: DataPlane;
  readonly #means: Means;
  readonly #server: Server;
  readonly #connections = new Map<Socket, Connection>();
  readonly #http2: Http2Side;
  readonly #protocols: TwoProtocols;
  readonly #handshakes: Handshakes | undefined;
  #draining = false;

  constructor(plane: DataPlane) {
    this.#plane = plane;
    this.#http2 = new Http2Side(plane);
    const pools = new Pools(plane.dialer, this.#http2.ways.http2);
    this.#means = { plane, proxy: mendedProxy(), pools };
    this.#server = nodeServer(plane, (socket) => this.#connections.get(socket)!.idle);
    const handle = (request: IncomingMessage, out: ServerResponse) => this.#take(request, out);
    this.#server.on("connection", (socket) => this.#connected(socket));
    this.#server.on("request", handle);
    this.#server.on("checkContinue", handle); // Node would ask for the body before we know that anyone wants it
    this.#server.on("checkExpectation", handle);
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    this.#server.on("connect", (request, socket) => this.#connect(request, socket as Socket));
    this.#protocols = new TwoProtocols(this.#server, plane, this.#http2);
    this.#handshakes = plane.config.tls && new Handshakes(this.#server, plane, ALPN);
    this.#server.on("clientError", (error, socket) => this.#broken(error, socket as Socket));
  }

  get fd(): number | undefined {
    return listeningFd(this.#server);
  }

  listen(where: Listen): Promise<Address> {
    return listenOn(this.#server, where);
  }

  async drain(deadline: number, grace = IDLE_GRACE): Promise<number> {
    this.#draining = true;
    for (const connection of this.#connections.values()) connection.leave();
    // http.Server.close would cut idle connections at once, under a request that is already on its way.
    const closed = new Promise<void>((resolve) =>
      NetServer.prototype.close.call(this.#server, () => resolve()),
    );
    // after the sockets were looked at: what has arrived while this process was busy is no idle connection
    const idle = setInterval(() => setImmediate(() => this.#endIdle()), grace);
    this.#http2.drain();
    let cut = 0;
    const lastCall = setTimeout(() => this.#plane.lastCall(), lastCallAfter(deadline));
    const hard = setTimeout(() => {
      cut = this.#connections.size + this.#http2.destroy();
      for (const socket of this.#connections.keys()) socket.destroy(); // tunnels too, which Node forgets
      this.#protocols.destroy();
      this.#handshakes?.destroy();
    }, deadline);
    await closed;
    clearInterval(idle);
    clearTimeout(lastCall);
    clearTimeout(hard);
    await everyExchangeCounted(this.#plane);
    this.#server.close(() => {}); // stops Node's own timer
    this.#means.pools.destroy();
    this.#http2.close();
    return cut;
  }

  #endIdle(): void {
    this.#server.closeIdleConnections();
    this.#http2.drain();
    this.#protocols.endSilent();
    this.#handshakes?.endSilent();
  }

  #connected(socket: Socket): void {
    this.#plane.connections++;
    this.#connections.set(socket, new Connection(socket));
    socket.once("close", () => {
      this.#plane.connections--;
      this.#connections.delete(socket);
    });
  }

  #take(request: IncomingMessage, out: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    connection?.take(request, out, (turn) => this.#handle(request, out, turn));
  }

  #handle(request: IncomingMessage, out: ServerResponse, turn: Turn): void {
    // Behind an upgrade that is ignored, Node's parser loses what it has read already.
    if (this.#draining || request.headers.upgrade !== undefined) out.shouldKeepAlive = false;
    const admitted = turn.broken ? UNREADABLE : this.#admit(request);
    if (isRefusal(admitted)) return this.#refuse(request, out, admitted);
    const begin = () => {
      if (turn.broken) return this.#refuse(request, out, UNREADABLE);
      if (this.#draining) out.shouldKeepAlive = false;
      const handler = new RequestHandler(this.#means, request, out, admitted);
      turn.onBroken = () => handler.endEarly("bad_request");
      void handler.run();
    };
    const { gate } = this.#plane;
    if (gate === undefined) return begin();
    const turnAway = (problem: Problem, waited: number) =>
      refuse(this.#plane, request, out, problem, { waited, close: hasBody(request) || this.#draining });
    holdRequest(gate, factsOf(request, admitted.path), out, { begin, refuse: turnAway });
  }

  #refuse(request: IncomingMessage, out: ServerResponse, problem: Problem): void {
    refuse(this.#plane, request, out, problem);
  }

  #admit(request: IncomingMessage): Admitted | Refusal {
    const { method, url, httpVersion } = request;
    const head = { method: method!, target: url!, fields: fieldsOf(request), httpVersion };
    return admit(head, this.#plane.config.limits);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Until http-proxy has a listener of its own, a reset here would be an uncaught exception.
    socket.on("error", () => socket.destroy());
    const connection = this.#connections.get(socket);
    if (!connection || connection.ending) return;
    const admitted = this.#admit(request);
    const facts = factsOf(request, request.url!);
    if (isRefusal(admitted)) return refuseOnSocket(this.#plane, socket, facts, admitted);
    const begin = (ahead: Buffer) => openTunnel(this.#means, request, socket, ahead, admitted);
    const { gate } = this.#plane;
    if (gate === undefined) return begin(head);
    const turnAway = (problem: Problem, waited: number) =>
      refuseOnSocket(this.#plane, socket, facts, problem, waited);
    holdUpgrade(gate, factsOf(request, admitted.path), socket, head, { begin, refuse: turnAway });
  }

  /** Has no response object, and is refused after everything before it has been answered. */
  #connect(request: IncomingMessage, socket: Socket): void {
    socket.on("error", () => socket.destroy());
    const facts = factsOf(request, request.url!);
    this.#connections.get(socket)?.finally(() => refuseOnSocket(this.#plane, socket, facts, CONNECT_REFUSED));
  }

  /** A request that Node's parser refused, or that did not come in time. */
  #broken(error: NodeJS.ErrnoException, socket: Socket): void {
    const connection = this.#connections.get(socket);
    const problem = problemOf(error, socket);
    if (connection === undefined || problem === undefined) {
      socket.destroy();
      return;
    }
    // RFC 9112 section 9.3: what follows a request with "Connection: close" is not looked at.
    if (connection.ending || error.code === "HPE_CLOSED_CONNECTION") return;
    const facts = { method: "OTHER", path: "", header: () => undefined, peer: socket.remoteAddress ?? "" };
    connection.broken(() => refuseOnSocket(this.#plane, socket, facts, problem));
  }
}
