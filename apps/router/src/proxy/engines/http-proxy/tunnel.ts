import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type httpProxy from "http-proxy";
import type { Timeouts } from "../../../config/config.ts";
import { answeredWith, type Outcome, outcomeRow } from "../../../core/outcome.ts";
import type { Admitted } from "../../../core/request-line.ts";
import { responseFault } from "../../../core/response-head.ts";
import { readyEvent } from "../../../targets/dialer.ts";
import type { Lease } from "../../../targets/target.ts";
import type { Exchange } from "../../exchange.ts";
import { reset } from "../../tls/reset.ts";
import { failure } from "../failure.ts";
import { headText, ownFields, writeProblem } from "../problem.ts";
import { answerFields, fieldsOf } from "./answer.ts";
import type { Means } from "./handle-request.ts";
import { addFields, factsOf, outgoingHeaders, wayTo } from "./outgoing.ts";
import { Splice } from "./splice.ts";

const NOTHING = Buffer.alloc(0);

/** What the proxy's events carry back to the tunnel that they belong to. */
export interface TunnelOptions extends httpProxy.ServerOptions {
  readonly tunnel: Tunnel;
}

/** What is to be done with a connection to a target once http-proxy has joined it to its client's. */
const opening = new WeakMap<Socket, () => void>();

/** For http-proxy's event `open`, which comes before a byte has gone either way. */
export function joinAnew(upstream: Socket): void {
  opening.get(upstream)?.();
}

/** Begins the tunnel of an admitted upgrade to WebSocket. `head` is what the client sent ahead of the answer. */
export function openTunnel(
  means: Means,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  admitted: Admitted,
): void {
  const exchange = means.plane.begin(factsOf(request, admitted.path));
  const lease = exchange.claim();
  if (lease) {
    new Tunnel(means, exchange, request, socket, admitted).start(lease, head);
    return;
  }
  const row = outcomeRow("no_target");
  const problem = { ...row, fields: [["Retry-After", "1"] as const, ...ownFields(exchange)] };
  exchange.finish(row.status, "no_target", writeProblem(socket, problem, exchange.id));
}

/** A WebSocket's way through: attempts until one is answered, then bytes both ways until either end closes. */
export class Tunnel {
  readonly #means: Means;
  readonly #exchange: Exchange;
  readonly #incoming: IncomingMessage;
  readonly #socket: Socket;
  readonly #admitted: Admitted;
  /** The attempt's place at its target; undefined once its ending is booked. */
  #lease: Lease | undefined;
  #request: ClientRequest | undefined;
  #outcome: Outcome = "client_abort";
  #status = 499;
  #connected = false;
  #concluded = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    means: Means,
    exchange: Exchange,
    incoming: IncomingMessage,
    socket: Socket,
    admitted: Admitted,
  ) {
    this.#means = means;
    this.#exchange = exchange;
    this.#incoming = incoming;
    this.#socket = socket;
    this.#admitted = admitted;
  }

  start(lease: Lease, head: Buffer): void {
    const headers = outgoingHeaders(this.#means.plane, this.#incoming, this.#exchange, this.#admitted);
    headers.connection = "Upgrade";
    headers.upgrade = "websocket"; // in lower case: http-proxy looks for them
    this.#incoming.headers = headers as IncomingMessage["headers"];
    this.#socket.once("close", () => this.#conclude());
    this.#socket.once("end", () => this.#left());
    this.#attempt(lease, head);
  }

  /** http-proxy has made its request; what is set here comes before its own listeners. */
  bind(request: ClientRequest): void {
    this.#request = request;
    request.path = this.#admitted.path;
    request.once("upgrade", (response, upstream) => this.#opened(response, upstream));
    request.once("response", (response) => this.#declined(response));
  }

  /** @param head is put back before what the client still sends, by http-proxy, so only the first attempt has one. */
  #attempt(lease: Lease, head: Buffer): void {
    const { plane, proxy, pools } = this.#means;
    const { timeouts } = plane.config;
    this.#lease = lease;
    this.#connected = false;
    this.#timer = setTimeout(() => this.#failed("connect_timeout"), timeouts.connect);
    addFields(this.#incoming, this.#exchange.attemptFields(lease));
    const options: TunnelOptions = {
      target: wayTo(lease.target),
      agent: pools.fresh(lease.target),
      toProxy: true,
      ignorePath: true,
      tunnel: this,
    };
    proxy.ws(this.#incoming, this.#socket, head, options, () => {});
    const request = this.#request!;
    request.removeAllListeners("error"); // http-proxy's own would end the client's connection
    request.on("error", (error) => {
      if (request === this.#request) this.#failed(failure(error, this.#connected));
    });
    // Node takes the connection from its parser where it finds this set.
    request.once("response", (response) => setUpgrade(response, false));
    request.once("socket", (upstream) => upstream.once(readyEvent(upstream), () => this.#reached(timeouts)));
  }

  #reached(timeouts: Timeouts): void {
    this.#connected = true;
    if (this.#status !== 499) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#failed("response_timeout"), timeouts.response_header);
  }

  #opened(response: IncomingMessage, upstream: Socket): void {
    this.#answered(101);
    let splice: Splice | undefined;
    opening.set(upstream, () => {
      splice = new Splice(this.#socket, upstream);
    });
    this.#exchange.lasts(() => splice?.end());
    this.#socket.once("close", () => upstream.destroy());
    upstream.once("close", () => this.#socket.destroySoon());
    // http-proxy writes the head from these.
    const fields: [string, string | string[]][] = [
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
    ];
    response.headers = Object.fromEntries(fields.concat(grouped(answerFields(response, this.#exchange))));
  }

  /** The upstream answers with something else. http-proxy would send the decoded body under the coded framing. */
  #declined(response: IncomingMessage): void {
    setUpgrade(response, true); // http-proxy leaves it alone then
    const { statusCode: status = 0, statusMessage: reason = "", httpVersion } = response;
    if (responseFault({ status, reason, httpVersion, fields: fieldsOf(response) }) !== undefined) {
      this.#failed("invalid_response");
      return;
    }
    this.#answered(status);
    const fields = answerFields(response, this.#exchange);
    this.#socket.write(headText(status, reason, [...fields, ["Connection", "close"]]), "latin1");
    response.once("aborted", () => {
      this.#outcome = "truncated";
      reset(this.#socket);
    });
    response.once("end", () => {
      if (!response.complete) return;
      this.#socket.destroySoon();
      this.#conclude();
    });
    response.pipe(this.#socket, { end: false });
  }

  #answered(status: number): void {
    clearTimeout(this.#timer);
    if (this.#lease) this.#exchange.firstByte(this.#lease);
    this.#status = status;
    this.#outcome = status === 101 ? "answered" : answeredWith(status);
  }

  /** Sends the upgrade to another target, where it may be repeated; else answers for the last one. */
  #failed(outcome: Outcome): void {
    if (this.#status !== 499 || this.#socket.destroyed) return;
    this.#settle(outcome);
    const lease = this.#exchange.retries(outcome) ? this.#exchange.claim() : undefined;
    if (lease) {
      this.#attempt(lease, NOTHING);
      return;
    }
    this.#outcome = outcome;
    this.#status = outcomeRow(outcome).status;
    const problem = { ...outcomeRow(outcome), fields: ownFields(this.#exchange) };
    writeProblem(this.#socket, problem, this.#exchange.id);
    this.#conclude();
  }

  /** The client has closed its half before there was an answer, as one does that goes away. */
  #left(): void {
    if (this.#status === 499) this.#socket.destroy();
  }

  /** Books the ending, once: at the latest when the client's connection is closed. */
  #conclude(): void {
    if (this.#concluded) return;
    this.#concluded = true;
    this.#settle(this.#outcome);
    this.#exchange.finish(this.#status, this.#outcome, this.#socket.bytesWritten);
  }

  /** Ends the attempt under way and books it. */
  #settle(outcome: Outcome): void {
    const lease = this.#lease;
    if (!lease) return;
    this.#lease = undefined;
    clearTimeout(this.#timer);
    this.#request?.destroy();
    lease.release();
    this.#exchange.settle(lease, outcome, this.#status === 499 ? 0 : this.#status);
  }
}

function setUpgrade(response: IncomingMessage, upgrade: boolean): void {
  (response as IncomingMessage & { upgrade: boolean }).upgrade = upgrade;
}

/** Repeated fields as http-proxy writes them: one line for each element. */
function grouped(fields: readonly (readonly [string, string])[]): [string, string | string[]][] {
  const all = new Map<string, [string, string[]]>();
  for (const [name, value] of fields) {
    const known = all.get(name.toLowerCase());
    if (known) known[1].push(value);
    else all.set(name.toLowerCase(), [name, [value]]);
  }
  return [...all.values()];
}
