import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Stream } from "node:stream";
import type httpProxy from "http-proxy";
import { type Outcome, outcomeRow } from "../../../core/outcome.ts";
import type { Admitted } from "../../../core/request-line.ts";
import type { DataPlane } from "../../data-plane.ts";
import type { Exchange } from "../../exchange.ts";
import { answerProblem, ownFields, writeHead } from "./answer.ts";
import { Attempt } from "./attempt.ts";
import { outgoingHeaders, type Pools } from "./outgoing.ts";
import { RequestBody } from "./request-body.ts";

/**
 * The five steps of a request: pick a color, pick a target, claim, forward, record. The exchange takes the first three
 * and the last; this class moves the bytes.
 */
export class RequestHandler {
  readonly #plane: DataPlane;
  readonly #proxy: httpProxy;
  readonly #pools: Pools;
  readonly #request: IncomingMessage;
  readonly #out: ServerResponse;
  readonly #path: string;
  readonly #exchange: Exchange;
  readonly #body: RequestBody;
  #attempt: Attempt | undefined;
  /** Set when the client, or its message, ended the request while an attempt was under way. */
  #ended: Outcome | undefined;
  #bytes = 0;

  constructor(
    plane: DataPlane,
    proxy: httpProxy,
    pools: Pools,
    request: IncomingMessage,
    out: ServerResponse,
    admitted: Admitted,
    exchange: Exchange,
  ) {
    this.#plane = plane;
    this.#proxy = proxy;
    this.#pools = pools;
    this.#request = request;
    this.#out = out;
    this.#path = admitted.path;
    this.#exchange = exchange;
    this.#body = new RequestBody(plane, exchange, request, (outcome) => this.#endEarly(outcome));
    // http-proxy copies these; a later reader of this request sees what the upstream saw.
    request.headers = outgoingHeaders(plane, request, exchange, admitted) as OutgoingHttpHeaders &
      IncomingMessage["headers"];
  }

  async run(): Promise<void> {
    const gone = () => this.#endEarly("client_abort");
    this.#out.once("close", gone);
    const outcome = await this.#attempts();
    this.#out.off("close", gone);
    this.#conclude(outcome);
  }

  async #attempts(): Promise<Outcome> {
    for (;;) {
      if (this.#ended) return this.#ended;
      const lease = this.#exchange.claim();
      if (!lease) return "no_target";
      const attempt = new Attempt(this.#exchange, lease, this.#plane.config.timeouts);
      this.#attempt = attempt;
      const head = await attempt.head((each) => this.#send(each));
      this.#body.detach();
      if ("response" in head && !this.#ended && !this.#exchange.retries(head.outcome)) {
        const ending = await this.#relay(attempt, head.response);
        this.#exchange.settle(lease, ending);
        return ending;
      }
      const outcome = this.#ended ?? head.outcome;
      this.#exchange.settle(lease, outcome);
      if ("response" in head) attempt.discard();
      else if (!this.#exchange.retries(outcome)) return outcome;
      else if (outcome === "stalled" && !this.#body.complete) attempt.cancel("stalled");
    }
  }

  #send(attempt: Attempt): void {
    const { method, path } = this.#exchange.facts;
    const options: httpProxy.ServerOptions = {
      target: attempt.lease.target.url,
      agent: this.#pools.for(this.#plane.isRepeatable(method, path)),
      selfHandleResponse: true,
      buffer: { pipe: (upstream: ClientRequest) => this.#connect(attempt, upstream) } as unknown as Stream,
    };
    this.#proxy.web(this.#request, this.#out, options, (error) => attempt.failed(error));
  }

  /** http-proxy hands over its request to be written; nothing of it has been sent yet. */
  #connect(attempt: Attempt, upstream: ClientRequest): void {
    upstream.path = this.#path; // http-proxy joins paths, and thereby collapses "//a//b"
    attempt.bind(upstream);
    this.#body.pipe(upstream);
  }

  async #relay(attempt: Attempt, response: IncomingMessage): Promise<Outcome> {
    if (!this.#body.complete) this.#resumeBody();
    writeHead(response, this.#out, this.#exchange);
    this.#out.flushHeaders();
    return attempt.relay(response, this.#out, (bytes) => {
      this.#bytes += bytes;
    });
  }

  /** The upstream answers before it has read everything; the rest is still its own. */
  #resumeBody(): void {
    this.#request.resume();
  }

  #endEarly(outcome: Outcome): void {
    if (this.#ended) return;
    this.#ended = outcome;
    this.#attempt?.cancel(outcome);
  }

  #conclude(outcome: Outcome): void {
    const row = outcomeRow(outcome);
    let status: number = row.status;
    if (this.#out.headersSent) {
      if (outcome !== "client_abort") status = this.#out.statusCode;
    } else if (outcome !== "client_abort") this.#bytes += this.#answer(outcome);
    this.#body.end();
    this.#exchange.finish(status, outcome, this.#bytes);
  }

  #answer(outcome: Outcome): number {
    const row = outcomeRow(outcome);
    const retryAfter = row.status === 503 ? [["Retry-After", "1"] as const] : [];
    return answerProblem(this.#out, row, {
      requestId: this.#exchange.id,
      fields: [...retryAfter, ...ownFields(this.#exchange)],
      close: !this.#request.complete,
    });
  }
}
