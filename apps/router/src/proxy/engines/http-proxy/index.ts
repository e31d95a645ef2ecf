import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, Server as NetServer, type Socket } from "node:net";
import "./quiet-extend.ts";
import httpProxy from "http-proxy";
import type { Address } from "../../../config/config.ts";
import { admit, isRefusal } from "../../../core/request-line.ts";
import type { DataPlane } from "../../data-plane.ts";
import type { CreateEngine, Engine } from "../../engine.ts";
import { answerProblem, fieldsOf, type Problem, writeProblem } from "./answer.ts";
import { RequestHandler } from "./handle-request.ts";
import { factsOf, Pools } from "./outgoing.ts";
import { openTunnel, type TunnelOptions } from "./tunnel.ts";

/** How long idle connections are kept during a drain, so that a request already on its way is still answered. */
const IDLE_GRACE = 500;

/** The engine on Node's own HTTP parser and the package http-proxy, mended where it loses or leaks (docs/engines.md). */
export const createHttpProxyEngine: CreateEngine = (plane) => new HttpProxyEngine(plane);

class HttpProxyEngine implements Engine {
  readonly #plane: DataPlane;
  readonly #proxy: httpProxy;
  readonly #pools = new Pools();
  readonly #server: Server;
  #draining = false;

  constructor(plane: DataPlane) {
    this.#plane = plane;
    this.#proxy = createProxy();
    this.#server = createServer(serverOptions(plane));
    this.#server.maxHeadersCount = 0; // Node would drop the rest in silence; admit() counts and refuses
    this.#server.maxConnections = plane.config.limits.connections;
    this.#server.on("connection", (socket) => this.#connected(socket));
    this.#server.on("request", (request, out) => this.#handle(request, out));
    this.#server.on("checkExpectation", (request, out) => this.#refuse(request, out, UNKNOWN_EXPECTATION));
    this.#server.on("upgrade", (request, socket, head) =>
      openTunnel(plane, this.#proxy, request, socket as Socket, head),
    );
    this.#server.on("connect", (_request, socket) =>
      this.#reject(socket as Socket, "CONNECT", CONNECT_REFUSED),
    );
    this.#server.on("clientError", (error, socket) => this.#broken(error, socket as Socket));
  }

  listen(address: Address): Promise<Address> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host: address.host, port: address.port, backlog: 1024 }, () => {
        this.#server.off("error", reject);
        const { address: host, port } = this.#server.address() as AddressInfo;
        resolve({ host, port });
      });
    });
  }

  async drain(deadline: number): Promise<number> {
    this.#draining = true;
    // http.Server.close would cut idle connections at once, under a request that is already on its way.
    const closed = new Promise<void>((resolve) =>
      NetServer.prototype.close.call(this.#server, () => resolve()),
    );
    const idle = setInterval(() => this.#server.closeIdleConnections(), IDLE_GRACE);
    let cut = 0;
    const hard = setTimeout(() => {
      cut = this.#plane.connections;
      this.#server.closeAllConnections();
    }, deadline);
    await closed;
    clearInterval(idle);
    clearTimeout(hard);
    this.#pools.destroy();
    return cut;
  }

  #connected(socket: Socket): void {
    this.#plane.connections++;
    socket.once("close", () => {
      this.#plane.connections--;
    });
    socket.setNoDelay(true);
  }

  #handle(request: IncomingMessage, out: ServerResponse): void {
    if (this.#draining) out.shouldKeepAlive = false;
    out.sendDate = false; // the upstream's Date is the answer's (RFC 9110 section 6.6.1)
    const admitted = admit(
      {
        method: request.method!,
        target: request.url!,
        fields: fieldsOf(request),
        httpVersion: request.httpVersion,
      },
      this.#plane.config.limits,
    );
    if (isRefusal(admitted)) {
      this.#refuse(request, out, admitted);
      return;
    }
    const exchange = this.#plane.begin(factsOf(request, admitted.path));
    const handler = new RequestHandler(
      this.#plane,
      this.#proxy,
      this.#pools,
      request,
      out,
      admitted,
      exchange,
    );
    void handler.run();
  }

  #refuse(request: IncomingMessage, out: ServerResponse, problem: Problem): void {
    this.#plane.refused(request.method ?? "OTHER", problem.status);
    answerProblem(out, problem, { close: true });
    request.resume();
  }

  #reject(socket: Socket, method: string, problem: Problem): void {
    socket.on("error", () => socket.destroy());
    this.#plane.refused(method, problem.status);
    writeProblem(socket, problem);
  }

  /** A request that Node's parser refused, or that did not come in time. */
  #broken(error: NodeJS.ErrnoException, socket: Socket): void {
    const answering = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage;
    if (error.code === "ECONNRESET" || !socket.writable || answering?.headersSent) {
      socket.destroy();
      return;
    }
    const problem =
      error.code === "HPE_HEADER_OVERFLOW"
        ? HEADER_TOO_LARGE
        : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
          ? HEADER_TOO_SLOW
          : UNREADABLE;
    this.#reject(socket, "OTHER", problem);
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
  proxy.on("econnreset", () => {}); // the client left; the response's close says so
  return proxy;
}

function serverOptions(plane: DataPlane) {
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
    shouldUpgradeCallback: (request: IncomingMessage) =>
      request.method === "GET" && request.headers.upgrade?.toLowerCase() === "websocket",
  };
}

const CONNECT_REFUSED: Problem = {
  status: 405,
  title: "Method Not Allowed",
  detail: "CONNECT is not relayed.",
  fields: [["Allow", "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"]],
};
const UNKNOWN_EXPECTATION: Problem = {
  status: 417,
  title: "Expectation Failed",
  detail: "The only expectation understood here is 100-continue.",
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
const UNREADABLE: Problem = {
  status: 400,
  title: "Bad Request",
  detail: "The request is not valid HTTP/1.1.",
};
