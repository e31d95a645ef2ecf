import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import "./quiet-extend.ts";
import httpProxy from "http-proxy";
import type { Address } from "../../../config/config.ts";
import type { RequestFacts } from "../../../core/request-facts.ts";
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
import { type Problem, refusalFields, writeProblem } from "../problem.ts";
import { hasBody } from "../request-body.ts";
import { answerProblem, fieldsOf } from "./answer.ts";
import { Connection, type Turn } from "./connection.ts";
import { type Means, RequestHandler } from "./handle-request.ts";
import { holdRequest, holdUpgrade } from "./held.ts";
import { factsOf, Pools } from "./outgoing.ts";
import { joinAnew, openTunnel, type TunnelOptions } from "./tunnel.ts";

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
    this.#means = { plane, proxy: createProxy(), pools };
    this.#server = createServer(serverOptions(plane, (socket) => this.#connections.get(socket)!.idle));
    this.#server.maxHeadersCount = 0; // Node would drop the rest in silence; admit() counts and refuses
    this.#server.maxConnections = plane.config.limits.connections;
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
    if (isRefusal(admitted)) return this.#answerRefusal(request, out, admitted);
    const begin = () => {
      if (turn.broken) return this.#answerRefusal(request, out, UNREADABLE);
      if (this.#draining) out.shouldKeepAlive = false;
      const handler = new RequestHandler(this.#means, request, out, admitted);
      turn.onBroken = () => handler.endEarly("bad_request");
      void handler.run();
    };
    const { gate } = this.#plane;
    if (gate === undefined) return begin();
    const refuse = (problem: Problem, waited: number) =>
      this.#answerRefusal(request, out, problem, waited, hasBody(request));
    holdRequest(gate, factsOf(request, admitted.path), out, { begin, refuse });
  }

  /** @param waited milliseconds at the gate @param close the connection ends with the answer */
  #answerRefusal(
    request: IncomingMessage,
    out: ServerResponse,
    problem: Problem,
    waited = 0,
    close = true,
  ): void {
    const facts = factsOf(request, request.url!);
    const answer = (requestId: string) => {
      const ends = close || this.#draining;
      return answerProblem(out, problem, {
        fields: refusalFields(this.#plane, requestId),
        requestId,
        close: ends,
      });
    };
    this.#refuse(facts, problem.status, answer, waited);
    request.resume();
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
    if (isRefusal(admitted)) return this.#writeRefusal(socket, facts, admitted);
    const begin = (ahead: Buffer) => openTunnel(this.#means, request, socket, ahead, admitted);
    const { gate } = this.#plane;
    if (gate === undefined) return begin(head);
    const refuse = (problem: Problem, waited: number) => this.#writeRefusal(socket, facts, problem, waited);
    holdUpgrade(gate, factsOf(request, admitted.path), socket, head, { begin, refuse });
  }

  /** Has no response object, and is refused after everything before it has been answered. */
  #connect(request: IncomingMessage, socket: Socket): void {
    socket.on("error", () => socket.destroy());
    const facts = factsOf(request, request.url!);
    this.#connections.get(socket)?.finally(() => this.#writeRefusal(socket, facts, CONNECT_REFUSED));
  }

  #writeRefusal(socket: Socket, facts: RequestFacts, problem: Problem, waited = 0): void {
    const answer = (id: string) => {
      const fields = [...(problem.fields ?? []), ...refusalFields(this.#plane, id)];
      return writeProblem(socket, { ...problem, fields }, id);
    };
    this.#refuse(facts, problem.status, answer, waited);
  }

  /** @param answer answers with the request's id; gives the bytes of the body. */
  #refuse(facts: RequestFacts, status: number, answer: (id: string) => number, duration = 0): void {
    const id = this.#plane.idOf(facts);
    this.#plane.refused(facts, { id, status, bytes: answer(id), duration });
  }

  /** A request that Node's parser refused, or that did not come in time. */
  #broken(error: NodeJS.ErrnoException, socket: Socket): void {
    const connection = this.#connections.get(socket);
    const gone = error.code === "ECONNRESET" || error.code === "HPE_INVALID_EOF_STATE";
    const silent = error.code === "ERR_HTTP_REQUEST_TIMEOUT" && socket.bytesRead === 0;
    if (!connection || gone || silent || !socket.writable) {
      socket.destroy();
      return;
    }
    // RFC 9112 section 9.3: what follows a request with "Connection: close" is not looked at.
    if (connection.ending || error.code === "HPE_CLOSED_CONNECTION") return;
    const problem = PARSE_PROBLEMS[error.code ?? ""] ?? UNREADABLE;
    const facts = { method: "OTHER", path: "", header: () => undefined, peer: socket.remoteAddress ?? "" };
    connection.broken(() => this.#writeRefusal(socket, facts, problem));
  }
}

function createProxy(): httpProxy {
  const proxy = httpProxy.createProxyServer({});
  // http-proxy's own pass says "content-length: 0" over a chunked DELETE and OPTIONS (http-proxy #1721).
  const passes = proxy as unknown as { webPasses: { name: string }[] };
  passes.webPasses = passes.webPasses.filter((pass) => pass.name !== "deleteLength");
  proxy.on("proxyReqWs", (proxyRequest, _request, _socket, options) => {
    (options as TunnelOptions).tunnel.bind(proxyRequest);
  });
  proxy.on("open", joinAnew);
  return proxy;
}

/** @param idle whether nothing is being answered on a connection. */
function serverOptions(plane: DataPlane, idle: (socket: Socket) => boolean) {
  const { timeouts, limits } = plane.config;
  return {
    maxHeaderSize: limits.header,
    headersTimeout: timeouts.client_header,
    requestTimeout: 0, // a body has a timeout of its own, between two reads, so that slow uploads may be long
    keepAliveTimeout: timeouts.keepalive,
    connectionsCheckingInterval: Math.min(1000, timeouts.client_header),
    insecureHTTPParser: false,
    requireHostHeader: false, // admit() says it with a problem document
    noDelay: true,
    shouldUpgradeCallback: (request: IncomingMessage) => isUpgrade(request) && idle(request.socket),
  };
}

/** Anything else with `Upgrade` is a plain request (RFC 9110 section 7.8); a body could be read as frames. */
function isUpgrade(request: IncomingMessage): boolean {
  const { method, httpVersion, headers } = request;
  if (method !== "GET" || httpVersion !== "1.1" || hasBody(request)) return false;
  return headers.upgrade?.toLowerCase() === "websocket";
}

const CONNECT_REFUSED: Problem = {
  status: 405,
  title: "Method Not Allowed",
  detail: "CONNECT is not relayed.",
  fields: [["Allow", "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"]],
};
const HEADER_TOO_LARGE: Problem = {
  status: 431,
  title: "Request Header Fields Too Large",
  detail: "The request's header is larger than limits.header allows.",
};
const HEADER_TOO_SLOW: Problem = {
  status: 408,
  title: "Request Timeout",
  detail: "The request's header did not arrive within timeouts.client_header.",
};
const UNREADABLE: Refusal = {
  status: 400,
  title: "Bad Request",
  detail: "The request is not valid HTTP/1.1.",
};
const PARSE_PROBLEMS: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: HEADER_TOO_LARGE,
  ERR_HTTP_REQUEST_TIMEOUT: HEADER_TOO_SLOW,
};
