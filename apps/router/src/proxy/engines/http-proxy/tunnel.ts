import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type httpProxy from "http-proxy";
import { responseFields } from "../../../core/forwarding.ts";
import { answeredWith, type Outcome, outcomeRow } from "../../../core/outcome.ts";
import { type Admitted, admit, isRefusal } from "../../../core/request-line.ts";
import type { Lease } from "../../../targets/target.ts";
import type { DataPlane } from "../../data-plane.ts";
import type { Exchange } from "../../exchange.ts";
import { fieldsOf, ownFields, writeProblem } from "./answer.ts";
import { factsOf, outgoingHeaders } from "./outgoing.ts";

/** What the proxy's events carry back to the tunnel that they belong to. */
export interface TunnelOptions extends httpProxy.ServerOptions {
  readonly tunnel: Tunnel;
}

/** Admits an upgrade to WebSocket and begins its tunnel. */
export function openTunnel(
  plane: DataPlane,
  proxy: httpProxy,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): void {
  // Until http-proxy has a listener of its own, a reset here would be an uncaught exception.
  socket.on("error", () => socket.destroy());
  const { limits } = plane.config;
  const line = { method: request.method!, target: request.url!, httpVersion: request.httpVersion };
  const admitted = admit({ ...line, fields: fieldsOf(request) }, limits);
  if (isRefusal(admitted)) {
    plane.refused(line.method, admitted.status);
    writeProblem(socket, admitted);
    return;
  }
  const exchange = plane.begin(factsOf(request, admitted.path));
  const lease = exchange.claim();
  if (lease) new Tunnel(exchange, lease, socket, admitted).start(plane, proxy, request, head);
  else {
    const row = outcomeRow("no_target");
    writeProblem(socket, { ...row, fields: [["Retry-After", "1"], ...ownFields(exchange)] });
    exchange.finish(row.status, "no_target", 0);
  }
}

/** A WebSocket's way through: one attempt, then bytes both ways until either end closes. */
export class Tunnel {
  readonly #exchange: Exchange;
  readonly #lease: Lease;
  readonly #socket: Socket;
  readonly #admitted: Admitted;
  #outcome: Outcome = "client_abort";
  #status = 499;
  #connectTimer: NodeJS.Timeout | undefined;

  constructor(exchange: Exchange, lease: Lease, socket: Socket, admitted: Admitted) {
    this.#exchange = exchange;
    this.#lease = lease;
    this.#socket = socket;
    this.#admitted = admitted;
  }

  start(plane: DataPlane, proxy: httpProxy, request: IncomingMessage, head: Buffer): void {
    const headers = outgoingHeaders(plane, request, this.#exchange, this.#admitted);
    headers.Connection = "Upgrade";
    headers.Upgrade = "websocket";
    request.headers = headers as IncomingMessage["headers"];
    this.#socket.once("close", () => this.#closed());
    const options: TunnelOptions = { target: this.#lease.target.url, tunnel: this };
    proxy.ws(request, this.#socket, head, options, () => this.#failed("connect_failed"));
    const { connect, response_header } = plane.config.timeouts;
    this.#connectTimer = setTimeout(() => this.#failed("response_timeout"), connect + response_header);
  }

  /** http-proxy has made its request. */
  bind(request: ClientRequest): void {
    request.path = this.#admitted.path;
    this.#socket.once("close", () => request.destroy());
    request.once("upgrade", (_response, upstream) => {
      this.#answered(101);
      this.#socket.once("close", () => upstream.destroy());
      upstream.once("close", () => this.#socket.destroySoon());
    });
    request.once("response", (response) => this.#declined(response));
  }

  /** The upstream answers with something else. http-proxy would send the decoded body under the coded framing. */
  #declined(response: IncomingMessage): void {
    (response as IncomingMessage & { upgrade: boolean }).upgrade = true;
    this.#answered(response.statusCode!);
    const fields = responseFields(fieldsOf(response))
      .filter(([name]) => name.toLowerCase() !== "content-length")
      .concat(ownFields(this.#exchange), [["Connection", "close"]]);
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    this.#socket.write(`HTTP/1.1 ${response.statusCode} ${response.statusMessage ?? ""}\r\n${lines}\r\n`);
    response.once("aborted", () => this.#socket.destroy());
    response.pipe(this.#socket);
  }

  #answered(status: number): void {
    clearTimeout(this.#connectTimer);
    this.#exchange.firstByte(this.#lease);
    this.#status = status;
    this.#outcome = answeredWith(status);
  }

  #failed(outcome: Outcome): void {
    if (this.#status !== 499) return;
    this.#outcome = outcome;
    this.#status = outcomeRow(outcome).status;
    writeProblem(this.#socket, { ...outcomeRow(outcome), fields: ownFields(this.#exchange) });
  }

  #closed(): void {
    clearTimeout(this.#connectTimer);
    this.#lease.release();
    this.#exchange.settle(this.#lease, this.#outcome);
    this.#exchange.finish(this.#status, this.#outcome, this.#socket.bytesWritten);
  }
}
