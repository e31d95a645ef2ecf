import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Stream } from "node:stream";
import type httpProxy from "http-proxy";
import { answeredWith, type Outcome, outcomeRow } from "../../../core/outcome.ts";
import type { Admitted } from "../../../core/request-line.ts";
import type { DataPlane } from "../../data-plane.ts";
import type { Exchange } from "../../exchange.ts";
import { isEventStream } from "../event-stream.ts";
import { probeWhileSilent } from "../keep-alive.ts";
import { ownFields } from "../problem.ts";
import { bodyOf, RequestBody } from "../request-body.ts";
import { StreamedEvents } from "../streamed-events.ts";
import { answerProblem, writeHead } from "./answer.ts";
import { Attempt, type HeadResult } from "./attempt.ts";
import { addFields, factsOf, outgoingHeaders, type Pools, sentFields, wayTo } from "./outgoing.ts";
import { cut, relay } from "./relay.ts";

/** What all requests of an engine share. */
export interface Means {
  readonly plane: DataPlane;
  readonly proxy: httpProxy;
  readonly pools: Pools;
}

/**
 * The five steps of a request: pick a color, pick a target, claim, forward, record. The exchange takes the first three
 * and the last; this class moves the bytes.
 */
export class RequestHandler {
  readonly #means: Means;
  readonly #request: IncomingMessage;
  readonly #out: ServerResponse;
  readonly #path: string;
  readonly #exchange: Exchange;
  readonly #body: RequestBody;
  readonly #isRepeatable: boolean;
  #attempt: Attempt | undefined;
  /** Set when the client, or its message, ended the request while an attempt was under way. */
  #ended: Outcome | undefined;
  #bytes = 0;

  constructor(means: Means, request: IncomingMessage, out: ServerResponse, admitted: Admitted) {
    const { plane } = means;
    this.#means = means;
    this.#request = request;
    this.#out = out;
    this.#path = admitted.path;
    const exchange = plane.begin(factsOf(request, admitted.path));
    this.#exchange = exchange;
    this.#isRepeatable = plane.isRepeatable(request.method!, admitted.path);
    const expects = request.headers.expect !== undefined && request.httpVersion === "1.1";
    this.#body = new RequestBody(plane, exchange, bodyOf(request), {
      wanted: () => expects && out.writeContinue(),
      sent: () => this.#attempt?.bodySent(),
      fault: (outcome) => this.endEarly(outcome),
    });
    request.setMaxListeners(0); // http-proxy adds two for each attempt
    // http-proxy copies these; a later reader of this request sees what the upstream saw.
    request.headers = outgoingHeaders(plane, request, exchange, admitted) as OutgoingHttpHeaders &
      IncomingMessage["headers"];
  }

  async run(): Promise<void> {
    const closed = () => {
      if (!this.#out.writableFinished) this.endEarly("client_abort");
    };
    this.#out.once("close", closed);
    const outcome = await this.#attempts();
    this.#out.off("close", closed);
    this.#conclude(outcome);
  }

  /** The client is gone, or its message is at fault: what is under way for it is cancelled. */
  endEarly(outcome: Outcome): void {
    if (this.#ended) return;
    this.#ended = outcome;
    this.#attempt?.cancel(outcome);
  }

  async #attempts(): Promise<Outcome> {
    const { timeouts } = this.#means.plane.config;
    for (;;) {
      if (this.#ended) return this.#ended;
      const lease = this.#exchange.claim();
      if (!lease) return "no_target";
      const attempt = new Attempt(this.#exchange, lease, timeouts, () => this.#mayResend());
      this.#attempt = attempt;
      const head = await attempt.head((each) => this.#send(each));
      if ("response" in head && !this.#ended && !this.#exchange.retries(head.outcome)) {
        const ending = await this.#answer(attempt, head.response);
        this.#exchange.settle(lease, ending, head.response.statusCode);
        return ending;
      }
      if (!this.#again(attempt, head)) return this.#ended ?? head.outcome;
    }
  }

  /** Books an attempt that gave no answer to the client, and says whether there will be another. */
  #again(attempt: Attempt, head: HeadResult): boolean {
    this.#body.detach();
    const outcome = this.#ended ?? head.outcome;
    this.#exchange.settle(attempt.lease, outcome, "response" in head ? head.response.statusCode : 0);
    if ("response" in head) {
      attempt.discard();
      return this.#ended === undefined;
    }
    if (!this.#exchange.retries(outcome)) return false;
    if (outcome === "stalled" && !this.#body.complete) attempt.cancel("stalled");
    return true;
  }

  #mayResend(): boolean {
    return this.#isRepeatable && this.#exchange.bodyKept && this.#ended === undefined;
  }

  #send(attempt: Attempt): void {
    const { proxy, pools } = this.#means;
    const { target } = attempt.lease;
    addFields(this.#request, this.#exchange.attemptFields(attempt.lease));
    const options: httpProxy.ServerOptions = {
      target: wayTo(target),
      agent: attempt.fresh ? pools.fresh(target) : pools.for(target, this.#isRepeatable),
      selfHandleResponse: true,
      toProxy: true, // or it would parse the URL, and throw at what it does not understand
      ignorePath: true,
      buffer: { pipe: (upstream: ClientRequest) => this.#connect(attempt, upstream) } as unknown as Stream,
    };
    proxy.web(this.#request, this.#out, options, (error) => attempt.failed(error));
  }

  /** http-proxy hands over its request to be written; nothing of it has been sent yet. */
  #connect(attempt: Attempt, upstream: ClientRequest): void {
    upstream.path = this.#path; // http-proxy joins paths, and thereby collapses "//a//b"
    upstream.maxHeadersCount = 0; // Node would drop the rest in silence; their bytes are bounded
    attempt.bind(upstream);
    this.#body.pipe(upstream);
  }

  async #answer(attempt: Attempt, response: IncomingMessage): Promise<Outcome> {
    const out = this.#out;
    if (!this.#body.complete) {
      out.shouldKeepAlive = false; // the rest of the body may never come
      this.#body.answered();
    }
    const { tap } = this.#exchange;
    tap?.head(response.statusCode!, response.headers["content-type"], response.headers["content-encoding"]);
    writeHead(response, out, this.#exchange);
    const events = this.#streamedEvents(response);
    const idle = this.#means.plane.config.timeouts.stream_idle;
    const written = (chunk: Buffer) => {
      this.#exchange.heard(attempt.lease);
      this.#bytes += chunk.length;
      tap?.part(chunk, 0, chunk.length);
    };
    const relayed = await relay(response, out, { idle, written, events });
    // a stream of events lasts until its client has had enough
    if (events !== undefined && (this.#ended ?? relayed) === "client_abort") this.#ended = "answered";
    const ending = this.#ended ?? relayed;
    const whole = ending === answeredWith(response.statusCode!);
    if (!whole || !this.#body.complete || !response.complete) attempt.close();
    if (!whole) cut(out);
    else tap?.end({ body: this.#body.whole, fields: () => sentFields(this.#request.headers) });
    return ending;
  }

  /** What may last outlives a flip; one that says its length cannot be ended early. */
  #streamedEvents(response: IncomingMessage): StreamedEvents | undefined {
    const { statusCode, headers } = response;
    if (statusCode !== 200 || !isEventStream(headers["content-type"])) return undefined;
    if (headers["content-length"] !== undefined || this.#request.method === "HEAD") return undefined;
    const events = new StreamedEvents();
    for (const { socket } of [this.#request, response]) probeWhileSilent(socket);
    this.#exchange.lasts(() => events.end());
    return events;
  }

  #conclude(outcome: Outcome): void {
    const gone = outcome === "client_abort";
    let { status }: { status: number } = outcomeRow(outcome);
    if (this.#out.headersSent) status = gone ? status : this.#out.statusCode;
    else if (gone) this.#out.destroy();
    else this.#bytes += this.#answerProblem(outcome);
    this.#body.end();
    this.#exchange.finish(status, outcome, this.#bytes);
  }

  #answerProblem(outcome: Outcome): number {
    const row = outcomeRow(outcome);
    const retryAfter = row.status === 503 ? [["Retry-After", "1"] as const] : [];
    return answerProblem(this.#out, row, {
      requestId: this.#exchange.id,
      fields: [...retryAfter, ...ownFields(this.#exchange)],
      close: !this.#request.complete,
    });
  }
}
