import { answeredWith, type Outcome, outcomeRow } from "../../../core/outcome.ts";
import type { Lease } from "../../../targets/target.ts";
import type { Exchange, Holder } from "../../exchange.ts";
import type { SentRequest } from "../../tap.ts";
import { probeWhileSilent } from "../keep-alive.ts";
import { StreamedEvents } from "../streamed-events.ts";
import type { AnswerReader } from "./answer-reader.ts";
import { ClientAnswer } from "./client-answer.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Engine } from "./engine-parts.ts";
import type { Head } from "./head.ts";
import { Hedge, Loser, type Racer } from "./hedge.ts";
import type { Hedgeable } from "./hedge-queue.ts";
import { isStuck, lasting } from "./reads.ts";
import { type AnyBody, type BodySink, NO_BODY, RequestBody } from "./request-body.ts";
import { readFields, sendRequest, writeBodyEnd, writePiece } from "./request-writer.ts";
import type { AnswerFraming } from "./response-head.ts";
import { streamsEvents } from "./streams-events.ts";
import type { RequestTraits } from "./traits.ts";
import { Tunnel } from "./tunnel.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

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
  readonly #answer: ClientAnswer;
  #tunnel: Tunnel | undefined;
  #events: StreamedEvents | undefined;
  #continued = false;
  #done = false;

  constructor(engine: Engine, client: ClientConnection, exchange: Exchange, traits: RequestTraits) {
    this.#engine = engine;
    this.#client = client;
    this.#exchange = exchange;
    this.#traits = traits;
    this.#answer = new ClientAnswer(engine, client, exchange, traits);
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
    sendRequest(upstream, this.#traits, this.#exchange.attemptFields(lease), this.body);
    this.#askForBody();
    // An earlier target may have taken no more of it.
    if (!this.body.complete && this.writable) this.#client.resumeBody();
    const after = this.#mayHedge() ? this.#exchange.hedgeAfter() : undefined;
    if (after !== undefined) this.#engine.hedges.add(this, after);
  }

  #mayHedge(): boolean {
    return this.body.complete && !this.#traits.switching && this.#hedge === undefined;
  }

  /** The first attempt is slower than the color's p95: sends a second one to another target. */
  hedge(): void {
    if (this.#upstream === undefined || this.#answer.status !== 0 || !this.#mayHedge()) return;
    const lease = this.#exchange.hedge();
    if (lease === undefined) return;
    this.#hedge = new Hedge(this.#engine, this.#exchange, this, lease);
    this.#hedge.upstream.begin(this.#hedge, lease, this.#toHead, false);
    sendRequest(this.#hedge.upstream, this.#traits, this.#exchange.attemptFields(lease), this.body);
  }

  onHedgeWon(head: Head, framing: AnswerFraming, rest: Buffer, at: number): void {
    const first = this.#upstream!;
    this.#promote(this.#hedge!);
    new Loser(this.#engine, this.#exchange, first, this.#first!);
    this.onHead(head, framing, rest, at);
  }

  onHedgeFailed(): void {
    this.#hedge = undefined;
  }

  #promote(hedge: Hedge): void {
    this.#first = this.#lease;
    this.#upstream = hedge.upstream;
    this.#lease = hedge.lease;
    this.#hedge = undefined;
    hedge.promote();
  }

  /** A client that expects it is told once that its body is wanted (RFC 9110 section 10.1.1). */
  #askForBody(): void {
    if (!this.#traits.expects || this.#continued || this.body.complete) return;
    this.#continued = true;
    this.#client.write("HTTP/1.1 100 Continue\r\n\r\n");
  }

  onPiece(piece: Buffer): void {
    if (this.#upstream === undefined) return;
    writePiece(this.#upstream.socket, this.body.framing === "chunked", lasting(piece));
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

  onDrain(): void {
    this.#client.resumeBody();
  }

  onInterim(head: Head): boolean {
    return this.#answer.interim(head);
  }

  onHead(head: Head, framing: AnswerFraming, rest: Buffer, at: number): void {
    this.#exchange.holder = undefined;
    this.#hedge?.drop();
    this.#hedge = undefined;
    const outcome = answeredWith(head.status);
    if (outcome !== "answered" && this.#exchange.retries(outcome)) return this.#again(outcome);
    const { tap } = this.#exchange;
    if (tap !== undefined)
      tap.head(head.status, head.valueOf("content-type"), head.valueOf("content-encoding"));
    const end = this.#answer.begin(head, framing, rest, at, this.body.complete);
    if (streamsEvents(head, framing)) this.#streamEvents();
    if (end < 0) return;
    tap?.part(rest, at, end);
    this.#upstream!.bodyTaken(rest, end);
    this.#finish();
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#exchange.tap?.part(bytes, start, end);
    const piece = bytes.subarray(start, end);
    const taken = this.#answer.part(this.#events === undefined ? piece : this.#events.pass(piece));
    if (!taken) this.#upstream?.pause();
    this.#events?.settle();
  }

  /** Its target may be silent for as long as it likes, and it may be ended between two events. */
  #streamEvents(): void {
    const events = new StreamedEvents();
    events.onOver = () => this.onEnd("\r\n");
    this.#events = events;
    this.#upstream!.lasts();
    this.#lasts(() => events.end());
  }

  /** What may last outlives a flip; whether the client is still there is asked of its system. */
  #lasts(end: () => void): void {
    probeWhileSilent(this.#client.socket);
    probeWhileSilent(this.#upstream!.socket);
    this.#exchange.lasts(end);
  }

  /** The client reads again. */
  resumeAnswer(): void {
    this.#upstream?.resume();
  }

  onEnd(trailer: string): void {
    this.#answer.end(trailer);
    this.#finish();
  }

  #finish(): void {
    const upstream = this.#upstream!;
    this.#upstream = undefined;
    this.#done = true;
    this.#events?.stop();
    this.#exchange.tap?.end(this.#sent());
    this.body.drop();
    const outcome = answeredWith(this.#answer.status);
    const reusable = upstream.release();
    this.#exchange.settle(this.#lease!, outcome, this.#answer.status);
    this.#lease!.release();
    if (reusable && this.body.complete) this.#engine.pool.put(upstream);
    else upstream.destroy();
    this.#exchange.finish(this.#answer.status, outcome, this.#answer.bytes);
    this.#client.answered(this.#answer.closing);
  }

  #sent(): SentRequest {
    const { complete, kept } = this.body;
    const { host, fields } = this.#traits;
    const body = complete && this.#exchange.bodyKept ? kept : undefined;
    return { body, fields: () => readFields(`Host: ${host}\r\n${fields}`) };
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
    if (this.#answer.status !== 0) return this.#cut(outcome);
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
    this.#end(this.#answer.status, outcome);
    this.#answer.cut();
  }

  /** The client is gone, or its message is at fault. */
  giveUp(why: Outcome): void {
    if (this.#done) return;
    if (this.#tunnel !== undefined) return this.#tunnel.clientGone();
    // a stream of events lasts until its client has had enough
    const outcome = this.#events !== undefined && why === "client_abort" ? "answered" : why;
    const upstream = this.#upstream;
    this.#upstream = undefined;
    this.#exchange.holder = undefined;
    if (upstream !== undefined) this.#exchange.settle(this.#lease!, outcome);
    upstream?.destroy();
    this.#hedge?.cancel(outcome);
    this.#hedge = undefined;
    this.#conclude(outcome);
  }

  #conclude(outcome: Outcome): void {
    const row = outcomeRow(outcome);
    if (outcome === "client_abort") {
      this.#end(row.status, outcome);
      this.#client.destroy();
    } else if (this.#answer.status !== 0) {
      this.#end(this.#answer.status, outcome);
      this.#answer.cut();
    } else {
      this.#answer.problem(outcome, this.body.complete, this.#toHead);
      this.#end(row.status, outcome);
      this.#client.answered(this.#answer.closing);
    }
  }

  #end(status: number, outcome: Outcome): void {
    this.#done = true;
    this.#events?.stop();
    this.body.drop();
    this.#exchange.finish(status, outcome, this.#answer.bytes);
  }

  onSwitched(head: Head, rest: Buffer, at: number): void {
    this.#exchange.holder = undefined;
    this.#answer.switched(head);
    const tunnel = new Tunnel(this.#engine, this.#client.socket, this.#upstream!, (bytes) => {
      this.#answer.bytes = bytes;
      this.#exchange.settle(this.#lease!, "answered", 101);
      this.#end(101, "answered");
      this.#client.answered(true);
    });
    this.#tunnel = tunnel;
    this.#client.tunnel(tunnel);
    this.#lasts(() => tunnel.end());
    if (at < rest.length) tunnel.onBody(rest, at, rest.length);
  }
}
