import { answeredWith, type Outcome } from "../../../core/outcome.ts";
import type { Lease } from "../../../targets/target.ts";
import type { Exchange } from "../../exchange.ts";
import type { AnswerReader } from "./answer-reader.ts";
import type { Engine } from "./engine-parts.ts";
import type { Head } from "./head.ts";
import type { AnswerFraming } from "./response-head.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

/** Who sent a second attempt, and is told how it goes. */
export interface Racer extends AnswerReader {
  /** The second attempt has answered first. It is to be promoted, and its answer read. */
  onHedgeWon(head: Head, framing: AnswerFraming, rest: Buffer, at: number): void;
  onHedgeFailed(): void;
}

/** A second attempt, until its head comes or it fails (Dean and Barroso 2013, "hedged requests"). */
export class Hedge implements AnswerReader {
  readonly upstream: UpstreamConnection;
  readonly lease: Lease;
  readonly #engine: Engine;
  readonly #exchange: Exchange;
  readonly #racer: Racer;

  constructor(engine: Engine, exchange: Exchange, racer: Racer, lease: Lease) {
    this.#engine = engine;
    this.#exchange = exchange;
    this.#racer = racer;
    this.lease = lease;
    this.upstream = engine.pool.take(lease.target, true, false);
  }

  /** Takes the first attempt's place. */
  promote(): void {
    this.upstream.adopt(this.#racer);
    this.#exchange.hedgeWon(this.lease);
  }

  /** The first attempt has answered. */
  drop(): void {
    this.#exchange.hedgeLost();
    new Loser(this.#engine, this.#exchange, this.upstream, this.lease);
  }

  /** Nobody waits for an answer any more. */
  cancel(outcome: Outcome): void {
    this.#exchange.settle(this.lease, outcome);
    this.upstream.destroy();
  }

  onInterim(): boolean {
    return true; // those of the first attempt are passed on
  }

  onHead(head: Head, framing: AnswerFraming, rest: Buffer, at: number): void {
    this.#racer.onHedgeWon(head, framing, rest, at);
  }

  onFailed(outcome: Outcome): void {
    this.#exchange.settle(this.lease, outcome);
    this.#racer.onHedgeFailed();
    this.#exchange.hedgeLost();
  }

  mayResend(): boolean {
    return false;
  }

  onBody(): void {}
  onEnd(): void {}
  onSwitched(): void {}
  onStale(): void {}
  onDrain(): void {}
}

/** Bytes of an answer that nobody wants which are read so that its connection can serve again. */
const MOST_UNWANTED = 64 * 1024;

/** Reads the answer of the attempt that lost, and books how it ended: evidence is about the first attempt. */
export class Loser implements AnswerReader {
  readonly #engine: Engine;
  readonly #exchange: Exchange;
  readonly #upstream: UpstreamConnection;
  readonly #lease: Lease;
  #status = 0;
  #bytes = 0;

  constructor(engine: Engine, exchange: Exchange, upstream: UpstreamConnection, lease: Lease) {
    this.#engine = engine;
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.#lease = lease;
    upstream.adopt(this);
  }

  onInterim(): boolean {
    return true;
  }

  onHead(head: Head): void {
    this.#status = head.status;
  }

  onBody(_bytes: Buffer, start: number, end: number): void {
    this.#bytes += end - start;
    if (this.#bytes <= MOST_UNWANTED || this.#exchange.isTimed(this.#lease)) return;
    this.#upstream.destroy();
    this.#exchange.settle(this.#lease, answeredWith(this.#status), this.#status);
  }

  onEnd(): void {
    const reusable = this.#upstream.release();
    this.#exchange.settle(this.#lease, answeredWith(this.#status), this.#status);
    this.#lease.release();
    if (reusable) this.#engine.pool.put(this.#upstream);
    else this.#upstream.destroy();
  }

  onFailed(outcome: Outcome): void {
    this.#exchange.settle(this.#lease, outcome);
  }

  mayResend(): boolean {
    return false;
  }

  onSwitched(): void {}
  onStale(): void {}
  onDrain(): void {}
}
