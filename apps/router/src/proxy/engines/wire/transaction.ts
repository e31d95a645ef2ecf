import { answeredWith, type Outcome, outcomeRow } from "../../../core/outcome.ts";
import type { Lease } from "../../../targets/target.ts";
import type { Exchange, Holder } from "../../exchange.ts";
import { probeWhileSilent } from "../keep-alive.ts";
import { StreamedEvents } from "../streamed-events.ts";
import type { AnswerReader } from "./answer-reader.ts";
import { ClientAnswer } from "./client-answer.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Engine } from "./engine-parts.ts";
import type { Head } from "./head.ts";
import { Hedge, Loser, type Racer } from "./hedge.ts";
import type { Hedgeable } from "./hedge-queue.ts";
import { RequestRelay } from "./request-relay.ts";
import type { AnswerFraming } from "./response-head.ts";
import { streamsEvents } from "./streams-events.ts";
import type { RequestTraits } from "./traits.ts";
import { Tunnel } from "./tunnel.ts";

/**
 * One request between its client and one target after another: the five steps (pick a color, pick a target, claim,
 * forward, record). The exchange takes the first three and the last; this class moves the bytes.
 */
export class Transaction extends RequestRelay implements AnswerReader, Hedgeable, Holder, Racer {
  #lease: Lease | undefined;
  #hedge: Hedge | undefined;
  readonly #answer: ClientAnswer;
  #tunnel: Tunnel | undefined;
  #events: StreamedEvents | undefined;
  #done = false;

  constructor(engine: Engine, client: ClientConnection, exchange: Exchange, traits: RequestTraits) {
    super(engine, client, exchange, traits);
    this.#answer = new ClientAnswer(engine, client, exchange, traits);
  }

  get done(): boolean {
    return this.#done;
  }

  /** Sends the request to the next target. */
  attempt(fresh = false): void {
    const lease = fresh ? this.#lease : this.exchange.claim();
    if (lease === undefined) return this.#conclude("no_target");
    const { method, path } = this.exchange.facts;
    const repeatable = this.engine.plane.isRepeatable(method, path);
    const upstream = this.engine.pool.take(lease.target, repeatable, fresh);
    this.#lease = lease;
    this.upstream = upstream;
    this.exchange.holder = this;
    this.send(upstream, this, lease, this.traits.switching);
    this.askForRest();
    const after = this.#mayHedge() ? this.exchange.hedgeAfter() : undefined;
    if (after !== undefined) this.engine.hedges.add(this, after);
  }

  #mayHedge(): boolean {
    return this.body.complete && !this.traits.switching && this.#hedge === undefined;
  }

  /** The first attempt is slower than the color's p95: sends a second one to another target. */
  hedge(): void {
    if (this.upstream === undefined || this.#answer.status !== 0 || !this.#mayHedge()) return;
    const lease = this.exchange.hedge();
    if (lease === undefined) return;
    this.#hedge = new Hedge(this.engine, this.exchange, this, lease);
    this.send(this.#hedge.upstream, this.#hedge, lease, false);
  }

  onHedgeWon(head: Head, framing: AnswerFraming, rest: Buffer, at: number): void {
    const [first, lease] = [this.upstream!, this.#lease!];
    this.#promote(this.#hedge!);
    new Loser(this.engine, this.exchange, first, lease);
    this.onHead(head, framing, rest, at);
  }

  onHedgeFailed(): void {
    this.#hedge = undefined;
  }

  #promote(hedge: Hedge): void {
    this.upstream = hedge.upstream;
    this.#lease = hedge.lease;
    this.#hedge = undefined;
    hedge.promote();
  }

  onInterim(head: Head): boolean {
    return this.#answer.interim(head);
  }

  onHead(head: Head, framing: AnswerFraming, rest: Buffer, at: number): void {
    this.exchange.holder = undefined;
    this.#hedge?.drop();
    this.#hedge = undefined;
    const outcome = answeredWith(head.status);
    if (outcome !== "answered" && this.exchange.retries(outcome)) return this.#again(outcome);
    const { tap } = this.exchange;
    if (tap !== undefined)
      tap.head(head.status, head.valueOf("content-type"), head.valueOf("content-encoding"));
    const end = this.#answer.begin(head, framing, rest, at, this.body.complete);
    if (streamsEvents(head, framing)) this.#streamEvents();
    if (end < 0) return;
    tap?.part(rest, at, end);
    this.upstream!.bodyTaken(rest, end);
    this.#finish();
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.exchange.tap?.part(bytes, start, end);
    const piece = bytes.subarray(start, end);
    const taken = this.#answer.part(this.#events === undefined ? piece : this.#events.pass(piece));
    if (!taken) this.upstream?.pause();
    this.#events?.settle();
  }

  /** Its target may be silent for as long as it likes, and it may be ended between two events. */
  #streamEvents(): void {
    const events = new StreamedEvents();
    events.onOver = () => this.onEnd("\r\n");
    this.#events = events;
    this.upstream!.lasts();
    this.#lasts(() => events.end());
  }

  /** What may last outlives a flip; whether the client is still there is asked of its system. */
  #lasts(end: () => void): void {
    probeWhileSilent(this.client.socket);
    probeWhileSilent(this.upstream!.socket);
    this.exchange.lasts(end);
  }

  /** The client reads again. */
  resumeAnswer(): void {
    this.upstream?.resume();
  }

  onEnd(trailer: string): void {
    this.#answer.end(trailer);
    this.#finish();
  }

  #finish(): void {
    const upstream = this.upstream!;
    this.upstream = undefined;
    this.#done = true;
    this.#events?.stop();
    this.exchange.tap?.end(this.sent());
    this.body.drop();
    const outcome = answeredWith(this.#answer.status);
    const reusable = upstream.release();
    this.exchange.settle(this.#lease!, outcome, this.#answer.status);
    this.#lease!.release();
    if (reusable && this.body.complete) this.engine.pool.put(upstream);
    else upstream.destroy();
    this.exchange.finish(this.#answer.status, outcome, this.#answer.bytes);
    this.client.answered(this.#answer.closing);
  }

  onStale(): void {
    this.attempt(true);
  }

  onFailed(outcome: Outcome): void {
    this.upstream = undefined;
    if (this.#answer.status !== 0) return this.#cut(outcome);
    this.exchange.holder = undefined;
    this.exchange.settle(this.#lease!, outcome);
    if (this.#hedge !== undefined) {
      this.#promote(this.#hedge);
      this.exchange.holder = this;
    } else if (this.exchange.retries(outcome)) this.attempt();
    else this.#conclude(outcome);
  }

  /** An answer that is held back, because the request is sent again. */
  #again(outcome: Outcome): void {
    const upstream = this.upstream;
    this.upstream = undefined;
    this.exchange.settle(this.#lease!, outcome);
    upstream?.destroy();
    this.attempt();
  }

  onStalled(): void {
    const upstream = this.upstream;
    // A second attempt is under way already.
    if (upstream === undefined || this.#hedge !== undefined || !this.exchange.retries("stalled")) return;
    this.upstream = undefined;
    this.exchange.holder = undefined;
    this.exchange.settle(this.#lease!, "stalled");
    if (this.body.complete) upstream.abandon();
    else upstream.destroy();
    this.attempt();
  }

  /** An answer that broke off: the client must not take it for whole. */
  #cut(outcome: Outcome): void {
    this.exchange.settle(this.#lease!, outcome);
    this.#end(this.#answer.status, outcome);
    this.#answer.cut();
  }

  /** The client is gone, or its message is at fault. */
  giveUp(why: Outcome): void {
    if (this.#done) return;
    if (this.#tunnel !== undefined) return this.#tunnel.clientGone();
    // a stream of events lasts until its client has had enough
    const outcome = this.#events !== undefined && why === "client_abort" ? "answered" : why;
    const upstream = this.upstream;
    this.upstream = undefined;
    this.exchange.holder = undefined;
    if (upstream !== undefined) this.exchange.settle(this.#lease!, outcome);
    upstream?.destroy();
    this.#hedge?.cancel(outcome);
    this.#hedge = undefined;
    this.#conclude(outcome);
  }

  #conclude(outcome: Outcome): void {
    const row = outcomeRow(outcome);
    if (outcome === "client_abort") {
      this.#end(row.status, outcome);
      this.client.destroy();
    } else if (this.#answer.status !== 0) {
      this.#end(this.#answer.status, outcome);
      this.#answer.cut();
    } else {
      this.#answer.problem(outcome, this.body.complete, this.toHead);
      this.#end(row.status, outcome);
      this.client.answered(this.#answer.closing);
    }
  }

  #end(status: number, outcome: Outcome): void {
    this.#done = true;
    this.#events?.stop();
    this.body.drop();
    this.exchange.finish(status, outcome, this.#answer.bytes);
  }

  onSwitched(head: Head, rest: Buffer, at: number): void {
    this.exchange.holder = undefined;
    this.#answer.switched(head);
    const tunnel = new Tunnel(this.engine, this.client.socket, this.upstream!, (bytes) => {
      this.#answer.bytes = bytes;
      this.exchange.settle(this.#lease!, "answered", 101);
      this.#end(101, "answered");
      this.client.answered(true);
    });
    this.#tunnel = tunnel;
    this.client.tunnel(tunnel);
    this.#lasts(() => tunnel.end());
    if (at < rest.length) tunnel.onBody(rest, at, rest.length);
  }
}
