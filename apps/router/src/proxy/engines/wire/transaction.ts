import { answeredWith, type Outcome, outcomeRow } from "../../../core/outcome.ts";
import type { Lease } from "../../../targets/target.ts";
import type { Exchange, Holder } from "../../exchange.ts";
import type { Problem } from "../problem.ts";
import { ownFields } from "../problem.ts";
import { latin1 } from "./bytes.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Engine } from "./engine-parts.ts";
import { FIELD } from "./field-kind.ts";
import type { Head } from "./head.ts";
import { Hedge, Loser, type Racer } from "./hedge.ts";
import type { Hedgeable } from "./hedge-queue.ts";
import { isStuck, lasting } from "./reads.ts";
import { type AnyBody, type BodySink, NO_BODY, RequestBody } from "./request-body.ts";
import { sendRequest, writeBodyEnd, writePiece } from "./request-writer.ts";
import { type AnswerFraming, BODY, writeAnswerHead, writeInterimHead } from "./response-head.ts";
import type { RequestTraits } from "./traits.ts";
import type { AnswerReader, UpstreamConnection } from "./upstream-connection.ts";

/** An answer this small goes out in one write with its head, as text. */
const SMALL = 16 * 1024;
/** Interim answers that one request may have. */
const MOST_INTERIM = 32;

/**
 * One request between its client and one target after another: the five steps (pick a color, pick a target, claim,
 * forward, record). The exchange takes the first three and the last; this class moves the bytes.
 */
export class Transaction implements AnswerReader, BodySink, Hedgeable, Holder, Racer {
  readonly body: AnyBody;
  readonly #engine: Engine;
  readonly #client: ClientConnection;
  readonly #exchange: Exchange;
  readonly #traits: RequestTraits;
  readonly #toHead: boolean;
  #upstream: UpstreamConnection | undefined;
  #lease: Lease | undefined;
  #hedge: Hedge | undefined;
  /** The first attempt of a race that the second has won. */
  #first: Lease | undefined;
  #status = 0;
  #bytes = 0;
  #chunked = false;
  #untilClose = false;
  #closing = false;
  #interim = 0;
  #continued = false;
  #done = false;

  constructor(engine: Engine, client: ClientConnection, exchange: Exchange, traits: RequestTraits) {
    this.#engine = engine;
    this.#client = client;
    this.#exchange = exchange;
    this.#traits = traits;
    this.#toHead = exchange.facts.method === "HEAD";
    this.body =
      traits.framing === "none"
        ? NO_BODY
        : new RequestBody(engine.plane, exchange, traits.framing, traits.length, this);
  }

  get done(): boolean {
    return this.#done;
  }

  /** A target takes the body as fast as the client sends it. */
  get writable(): boolean {
    return this.#upstream === undefined || !isStuck(this.#upstream.socket);
  }

  /** Sends the request to the next target. */
  attempt(fresh = false): void {
    const lease = fresh ? this.#lease : this.#exchange.claim();
    if (lease === undefined) return this.#conclude("no_target");
    const { method, path } = this.#exchange.facts;
    const repeatable = this.#engine.plane.isRepeatable(method, path);
    const upstream = this.#engine.pool.take(lease.target, repeatable, fresh);
    this.#lease = lease;
    this.#upstream = upstream;
    this.#exchange.holder = this;
    upstream.begin(this, lease, this.#toHead, this.#traits.switching);
    sendRequest(upstream, this.#traits, this.body);
    this.#askForBody();
    const after = this.#mayHedge() ? this.#exchange.hedgeAfter() : undefined;
    if (after !== undefined) this.#engine.hedges.add(this, after);
  }

  #mayHedge(): boolean {
    return this.body.complete && !this.#traits.switching && this.#hedge === undefined;
  }

  /** The first attempt is slower than the color's p95: sends a second one to another target. */
  hedge(): void {
    if (this.#upstream === undefined || this.#status !== 0 || !this.#mayHedge()) return;
    const lease = this.#exchange.hedge();
    if (lease === undefined) return;
    const upstream = this.#engine.pool.take(lease.target, true, false);
    this.#hedge = new Hedge(this, upstream, lease);
    upstream.begin(this.#hedge, lease, this.#toHead, false);
    sendRequest(upstream, this.#traits, this.body);
  }

  onHedgeWon(hedge: Hedge, head: Head, framing: AnswerFraming, rest: Buffer, at: number): void {
    const first = this.#upstream!;
    this.#promote(hedge);
    new Loser(this.#engine, this.#exchange, first, this.#first!);
    this.onHead(head, framing, rest, at);
  }

  onHedgeFailed(outcome: Outcome): void {
    this.#exchange.settle(this.#hedge!.lease, outcome);
    this.#hedge = undefined;
    this.#exchange.hedgeLost();
  }

  #promote(hedge: Hedge): void {
    this.#first = this.#lease;
    this.#upstream = hedge.upstream;
    this.#lease = hedge.lease;
    this.#hedge = undefined;
    hedge.upstream.adopt(this);
    this.#exchange.hedgeWon(hedge.lease);
  }

  /** The first attempt has answered. */
  #dropHedge(): void {
    const hedge = this.#hedge;
    if (hedge === undefined) return;
    this.#hedge = undefined;
    this.#exchange.hedgeLost();
    new Loser(this.#engine, this.#exchange, hedge.upstream, hedge.lease);
  }

  /** A client that expects it is told once that its body is wanted (RFC 9110 section 10.1.1). */
  #askForBody(): void {
    if (!this.#traits.expects || this.#continued || this.body.complete) return;
    this.#continued = true;
    this.#client.write("HTTP/1.1 100 Continue\r\n\r\n");
  }

  onPiece(piece: Buffer): void {
    if (this.#upstream === undefined) return;
    writePiece(this.#upstream.socket, this.body.framing, lasting(piece));
    if (this.writable) return;
    this.#client.pauseBody();
    this.#upstream.awaitDrain();
  }

  onBodyEnd(): void {
    if (this.#upstream === undefined) return;
    writeBodyEnd(this.#upstream.socket, this.body);
    this.#upstream.requestSent();
  }

  onBodyFault(outcome: "bad_request" | "body_too_large"): void {
    this.giveUp(outcome);
  }

  /** The target takes no more of a tunnel for now. */
  awaitDrain(): void {
    this.#upstream?.awaitDrain();
  }

  onDrain(): void {
    this.#client.resumeBody();
  }

  onInterim(head: Head): boolean {
    if (++this.#interim > MOST_INTERIM) return false;
    // Our own 100 is the only one (RFC 9110 section 15.2.1), and HTTP/1.0 knows no interim answers.
    if (head.status !== 100 && this.#traits.minor === 1) this.#client.write(writeInterimHead(head));
    return true;
  }

  onHead(head: Head, framing: AnswerFraming, rest: Buffer, at: number): void {
    this.#exchange.holder = undefined;
    this.#dropHedge();
    this.#status = head.status;
    const outcome = answeredWith(head.status);
    if (outcome !== "answered" && this.#exchange.retries(outcome)) return this.#again(outcome);
    const text = this.#answerHead(head, framing);
    if (framing.kind === BODY.length && framing.length <= SMALL && rest.length - at >= framing.length) {
      const end = at + framing.length;
      this.#bytes = framing.length;
      this.#client.write(text + latin1(rest, at, end));
      this.#upstream!.bodyTaken(rest, end);
      this.#finish();
    } else this.#client.write(text);
  }

  #answerHead(head: Head, { kind }: AnswerFraming): string {
    const old = this.#traits.minor === 0;
    this.#chunked = !old && (kind === BODY.chunked || kind === BODY.untilClose);
    this.#untilClose = old && (kind === BODY.chunked || kind === BODY.untilClose);
    // After an answer before the body's end the rest of the body may never come.
    this.#closing =
      !this.#traits.keepAlive || this.#untilClose || !this.body.complete || this.#engine.draining;
    const connection = this.#closing ? "close" : old ? "keep-alive" : "";
    return writeAnswerHead(head, this.#exchange, { chunked: this.#chunked, connection }, () =>
      this.#engine.date(),
    );
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#bytes += end - start;
    const part = bytes.subarray(start, end);
    const flows = this.#client.writeBody(lasting(part), this.#chunked);
    if (!flows) this.#upstream?.pause();
  }

  /** The client reads again. */
  resumeAnswer(): void {
    this.#upstream?.resume();
  }

  onEnd(trailer: string): void {
    if (this.#chunked) this.#client.write(`0\r\n${trailer}`);
    this.#finish();
  }

  #finish(): void {
    const upstream = this.#upstream!;
    this.#upstream = undefined;
    this.#done = true;
    this.body.drop();
    const outcome = answeredWith(this.#status);
    const reusable = upstream.release();
    this.#exchange.settle(this.#lease!, outcome);
    this.#lease!.release();
    if (reusable && this.body.complete) this.#engine.pool.put(upstream);
    else upstream.destroy();
    this.#exchange.finish(this.#status, outcome, this.#bytes);
    this.#client.answered(this.#closing);
  }

  mayResend(): boolean {
    const { method, path } = this.#exchange.facts;
    return this.#exchange.bodyKept && this.#engine.plane.isRepeatable(method, path);
  }

  onStale(): void {
    this.attempt(true);
  }

  onFailed(outcome: Outcome): void {
    this.#upstream = undefined;
    if (outcome === "answered") return this.#closeTunnel();
    if (this.#status !== 0) return this.#cut(outcome);
    this.#exchange.holder = undefined;
    this.#exchange.settle(this.#lease!, outcome);
    if (this.#hedge !== undefined) {
      this.#promote(this.#hedge);
      this.#exchange.holder = this;
    } else if (this.#exchange.retries(outcome)) this.attempt();
    else this.#conclude(outcome);
  }

  /** An answer that is held back, because the request is sent again. */
  #again(outcome: Outcome): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    this.#status = 0;
    this.#exchange.settle(this.#lease!, outcome);
    upstream?.destroy();
    this.attempt();
  }

  onStalled(): void {
    const upstream = this.#upstream;
    // A second attempt is under way already.
    if (upstream === undefined || this.#hedge !== undefined || !this.#exchange.retries("stalled")) return;
    this.#upstream = undefined;
    this.#exchange.holder = undefined;
    this.#exchange.settle(this.#lease!, "stalled");
    if (this.body.complete) upstream.abandon();
    else upstream.destroy();
    this.attempt();
  }

  /** An answer that broke off: the client must not take it for whole. */
  #cut(outcome: Outcome): void {
    this.#exchange.settle(this.#lease!, outcome);
    this.#end(this.#status, outcome);
    this.#client.cut(this.#untilClose);
  }

  /** The client is gone, or its message is at fault. */
  giveUp(outcome: Outcome): void {
    if (this.#done) return;
    if (this.#status === 101) return this.#tunnelLost();
    const upstream = this.#upstream;
    this.#upstream = undefined;
    this.#exchange.holder = undefined;
    if (upstream !== undefined) this.#exchange.settle(this.#lease!, outcome);
    upstream?.destroy();
    this.#cancelHedge(outcome);
    this.#conclude(outcome);
  }

  #cancelHedge(outcome: Outcome): void {
    const hedge = this.#hedge;
    if (hedge === undefined) return;
    this.#hedge = undefined;
    this.#exchange.settle(hedge.lease, outcome);
    hedge.upstream.destroy();
  }

  #conclude(outcome: Outcome): void {
    const row = outcomeRow(outcome);
    if (outcome === "client_abort") {
      this.#end(row.status, outcome);
      this.#client.destroy();
    } else if (this.#status !== 0) {
      this.#end(this.#status, outcome);
      this.#client.cut(this.#untilClose);
    } else {
      const close = !this.#traits.keepAlive || !this.body.complete || this.#engine.draining;
      const retryAfter = row.status === 503 ? ([["Retry-After", "1"]] as const) : [];
      const problem: Problem = { ...row, fields: [...retryAfter, ...ownFields(this.#exchange)] };
      this.#bytes = this.#client.writeProblem(problem, this.#exchange.id, close, this.#toHead);
      this.#end(row.status, outcome);
      this.#client.answered(close);
    }
  }

  #end(status: number, outcome: Outcome): void {
    this.#done = true;
    this.body.drop();
    this.#exchange.finish(status, outcome, this.#bytes);
  }

  onSwitched(head: Head, rest: Buffer, at: number): void {
    this.#exchange.holder = undefined;
    this.#status = 101;
    const upgrade = head.value(head.find(FIELD.upgrade));
    const text = writeInterimHead(head).slice(0, -2);
    const own = ownFields(this.#exchange).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#client.write(`${text}Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n${own.join("")}\r\n`);
    this.#client.tunnel(this.#upstream!.socket);
    if (at < rest.length) this.onBody(rest, at, rest.length);
  }

  /** Either side of a tunnel has ended. */
  #closeTunnel(): void {
    if (this.#done) return;
    this.#exchange.settle(this.#lease!, "answered");
    this.#end(101, "answered");
    this.#client.answered(true);
  }

  /** The client's side of a tunnel is gone. */
  #tunnelLost(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    this.#closeTunnel();
    upstream?.destroy();
  }
}
