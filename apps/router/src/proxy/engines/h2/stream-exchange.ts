import { constants, type ServerHttp2Stream } from "node:http2";
import type { Field } from "../../../core/forwarding.ts";
import { grpcTimeout } from "../../../core/grpc.ts";
import { answeredWith, type Outcome, outcomeRow } from "../../../core/outcome.ts";
import type { Admitted } from "../../../core/request-line.ts";
import type { Lease } from "../../../targets/target.ts";
import type { DataPlane } from "../../data-plane.ts";
import type { Exchange } from "../../exchange.ts";
import { isEventStream } from "../event-stream.ts";
import { ownFields } from "../problem.ts";
import { StreamedEvents } from "../streamed-events.ts";
import { AnswerPace } from "./answer-pace.ts";
import { Attempt, type AttemptOwner } from "./attempt.ts";
import { callEnding, callEndingOf, mayTurnUnavailable } from "./call-ending.ts";
import { Deadline } from "./deadline.ts";
import { fieldOf } from "./fields.ts";
import type { Http2Head } from "./request-head.ts";
import { grpcOfReset, resetCode } from "./reset-code.ts";
import { StreamAnswer } from "./stream-answer.ts";
import { StreamRequest } from "./stream-request.ts";
import type { UpstreamHead } from "./upstream/upstream.ts";
import type { Ways } from "./ways.ts";

/**
 * One stream's request between its client and one target after another: the five steps (pick a color, pick a target,
 * claim, forward, record). The exchange takes the first three and the last; this class moves the bytes.
 */
export class StreamExchange extends StreamRequest implements AttemptOwner {
  readonly #ways: Ways;
  readonly #answer: StreamAnswer;
  readonly #deadline: Deadline | undefined;
  #lease: Lease | undefined;
  /** A head that waits for what follows, because UNAVAILABLE may, and would be repeated. */
  #held: UpstreamHead | undefined;
  #upstreamStatus = 0;
  /** How the target's part ended, once it has. */
  #outcome: Outcome | undefined;
  readonly #pace = new AnswerPace(() => this.#silent());
  #events: StreamedEvents | undefined;
  #done = false;

  constructor(
    ways: Ways,
    exchange: Exchange,
    plane: DataPlane,
    stream: ServerHttp2Stream,
    head: Http2Head,
    way: Admitted,
  ) {
    super(plane, stream, exchange, head, way);
    this.#ways = ways;
    this.#answer = new StreamAnswer(stream, head.isGrpc, head.method === "HEAD");
    const timeout = head.isGrpc ? grpcTimeout(fieldOf(head.fields, "grpc-timeout")) : undefined;
    this.#deadline = timeout === undefined ? undefined : new Deadline(timeout, () => this.giveUp("deadline"));
  }

  run(): void {
    const { stream } = this;
    stream.on("data", () => this.#moved(false));
    stream.on("drain", () => this.#drained());
    stream.on("close", () => this.#closed());
    this.#next();
  }

  /** The client, its message or its deadline ended the request. */
  giveUp(outcome: Outcome): void {
    if (this.#done || this.#answer.ended) return;
    const attempt = this.attempt;
    if (attempt !== undefined) {
      this.#settle(outcome);
      attempt.cancel();
    }
    this.#conclude(outcome, undefined);
  }

  protected continue(): void {
    this.#answer.continue();
  }

  onInterim(status: number, fields: readonly Field[]): void {
    if (!this.#answer.interim(status, fields)) this.giveUp("invalid_response");
  }

  onHead(attempt: Attempt, head: UpstreamHead): void {
    const { status, ended } = head;
    this.#upstreamStatus = status;
    if (ended && this.head.isGrpc && status === 200) {
      const outcome = callEnding(this.exchange, head.fields);
      if (this.#again(attempt, outcome)) return;
    } else if (this.#again(attempt, answeredWith(status))) return;
    if (!ended && status === 200 && this.head.isGrpc && mayTurnUnavailable(this.plane, this.exchange))
      this.#held = head;
    else this.#begin(head);
    if (ended && !this.#done) this.#targetEnded(head.fields);
  }

  onData(chunk: Buffer): void {
    if (this.#held) this.#begin(this.#held);
    if (this.#done) return;
    this.exchange.tap?.part(chunk, 0, chunk.length);
    this.#moved(true);
    if (!this.#answer.part(this.#events?.pass(chunk) ?? chunk)) {
      this.#pace.clientIsSlow = true;
      this.attempt?.upstream.pause();
    }
    this.#events?.settle();
  }

  onEnd(trailers: readonly Field[]): void {
    const attempt = this.attempt!;
    if (this.#held) {
      if (this.#again(attempt, callEnding(this.exchange, trailers))) return;
      this.#begin(this.#held);
    }
    if (this.#done) return;
    this.#targetEnded(trailers);
    this.#answer.end(trailers);
  }

  onFailed(attempt: Attempt, outcome: Outcome, code: number | undefined): void {
    this.attempt = undefined;
    this.#held = undefined;
    this.#settle(outcome);
    if (this.#answer.status === 0) {
      this.body.detach();
      if (this.exchange.retries(outcome)) return this.#next();
    }
    this.#conclude(outcome, code);
    attempt.upstream.cancel();
  }

  onStalled(attempt: Attempt): void {
    if (!this.exchange.retries("stalled")) return;
    this.attempt = undefined;
    this.#settle("stalled");
    if (this.body.complete) attempt.abandon();
    else attempt.cancel();
    this.body.detach();
    this.#next();
  }

  /** Sends the request to the next target. */
  #next(): void {
    const lease = this.exchange.claim();
    if (lease === undefined) return this.#conclude("no_target", undefined);
    this.#lease = lease;
    this.#upstreamStatus = 0;
    const attempt = new Attempt(this.#ways, this.plane, this.exchange, lease, this.requestFor(lease), this);
    this.attempt = attempt;
    attempt.start();
  }

  /** An answer that is held back, because the request is sent again. */
  #again(attempt: Attempt, outcome: Outcome): boolean {
    if (outcome === "answered" || !this.exchange.retries(outcome)) return false;
    this.attempt = undefined;
    this.#held = undefined;
    this.#settle(outcome);
    attempt.cancel();
    this.body.detach();
    this.#next();
    return true;
  }

  #begin(head: UpstreamHead): void {
    this.#held = undefined;
    if (!this.body.complete) this.body.answered();
    const type = fieldOf(head.fields, "content-type");
    if (!this.head.isGrpc)
      this.exchange.tap?.head(head.status, type, fieldOf(head.fields, "content-encoding"));
    try {
      this.#answer.head(head, this.exchange);
      if (this.#mayEndEarly(head) && isEventStream(type)) this.#streamEvents();
      this.#moved(true);
    } catch {
      this.giveUp("invalid_response"); // Node refuses what it cannot write
    }
  }

  /** An answer that says its length cannot be ended before. */
  #mayEndEarly({ status, ended, fields }: UpstreamHead): boolean {
    if (this.head.isGrpc || this.head.method === "HEAD" || status !== 200 || ended) return false;
    return fieldOf(fields, "content-length") === undefined;
  }

  /** It outlives a flip, its target may be silent, and it may be ended between two events. */
  #streamEvents(): void {
    const events = new StreamedEvents();
    events.onOver = () => {
      this.#leave();
      this.#answer.end([]);
    };
    this.#events = events;
    this.#pace.lasts = true;
    this.exchange.lasts(() => events.end());
  }

  /** Nothing more is wanted of a stream of events. */
  #leave(): void {
    const attempt = this.attempt;
    this.#outcome = "answered";
    this.#settle("answered");
    this.attempt = undefined;
    attempt?.cancel();
  }

  /** The target has done its part; the client may still have to read it. */
  #targetEnded(trailers: readonly Field[]): void {
    const status = this.#upstreamStatus;
    const outcome = this.head.isGrpc ? callEndingOf(this.exchange, status, trailers) : answeredWith(status);
    this.#outcome = outcome;
    const attempt = this.attempt;
    this.#settle(outcome);
    this.attempt = undefined;
    if (this.body.complete) attempt?.leave();
    else attempt?.cancel();
  }

  #settle(outcome: Outcome): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    this.#lease = undefined;
    this.exchange.settle(lease, outcome, this.#upstreamStatus);
  }

  #moved(fromTarget: boolean): void {
    if (this.#answer.status !== 0) this.#pace.moved(fromTarget, this.plane.config.timeouts.stream_idle);
  }

  #silent(): void {
    if (!this.#answer.ended) return this.giveUp(this.#pace.clientIsSlow ? "client_abort" : "stream_timeout");
    this.#answer.reset(constants.NGHTTP2_CANCEL);
  }

  #drained(): void {
    this.#pace.clientIsSlow = false;
    this.#moved(true);
    this.attempt?.upstream.resume();
  }

  /** The stream is over, by either side. */
  #closed(): void {
    if (this.#done) return;
    if (!this.#answer.ended && this.#events !== undefined) {
      this.#leave(); // it lasts until its client has had enough
      return this.#finish(this.#answer.status, "answered");
    }
    if (!this.#answer.ended) return this.giveUp(this.#deadline?.passed ? "deadline" : "client_abort");
    const { rstCode } = this.stream;
    if (rstCode !== constants.NGHTTP2_NO_ERROR) return this.#finish(499, "client_abort");
    if (!this.head.isGrpc && this.#outcome !== undefined) {
      this.exchange.tap?.end(this.sent());
    }
    this.#finish(this.#answer.status, this.#outcome ?? "answered");
  }

  /** No target's answer goes to the client, or only a part of one. */
  #conclude(outcome: Outcome, code: number | undefined): void {
    const row = outcomeRow(outcome);
    if (this.head.isGrpc) this.exchange.grpcStatus = row.grpc;
    if (outcome === "client_abort") {
      this.#answer.reset(constants.NGHTTP2_CANCEL);
      return this.#finish(row.status, outcome);
    }
    if (this.#answer.status === 0) this.#problem(outcome, code);
    else if (outcome === "deadline") this.#answer.deadline();
    else this.#answer.reset(resetCode(outcome, code));
    this.#finish(this.#answer.status || row.status, outcome);
  }

  #problem(outcome: Outcome, code: number | undefined): void {
    const row = outcomeRow(outcome);
    const retryAfter = row.status === 503 ? [["Retry-After", "1"] as const] : [];
    const grpc = grpcOfReset(code, row.grpc);
    if (this.head.isGrpc) this.exchange.grpcStatus = grpc;
    this.#answer.problem(row, grpc, [...retryAfter, ...ownFields(this.exchange)], this.exchange.id);
  }

  #finish(status: number, outcome: Outcome): void {
    if (this.#done) return;
    this.#done = true;
    this.#pace.stop();
    this.#events?.stop();
    this.#deadline?.clear();
    this.body.end();
    this.exchange.finish(status, outcome, this.#answer.bytes);
  }
}
