import type { Field } from "../../../core/forwarding.ts";
import type { Outcome } from "../../../core/outcome.ts";
import type { Lease } from "../../../targets/target.ts";
import type { DataPlane } from "../../data-plane.ts";
import type { Exchange, Holder } from "../../exchange.ts";
import type {
  Failure,
  Upstream,
  UpstreamHead,
  UpstreamReader,
  UpstreamRequest,
} from "./upstream/upstream.ts";
import type { Ways } from "./ways.ts";

/** Who waits for an attempt. After `onFailed`, `onEnd` or `onStalled` nothing more comes. */
export interface AttemptOwner {
  onInterim(status: number, fields: readonly Field[]): void;
  onHead(attempt: Attempt, head: UpstreamHead): void;
  onData(chunk: Buffer): void;
  onEnd(trailers: readonly Field[]): void;
  onFailed(attempt: Attempt, outcome: Outcome, code: number | undefined): void;
  /** The target fell silent, and there is an elsewhere. */
  onStalled(attempt: Attempt): void;
  /** The attempt begins: its body may be piped into {@link Attempt.upstream}. */
  onSent(attempt: Attempt): void;
}

/**
 * One try at one target: sends the request, and watches over the wait for its answer's head. The lease is released when
 * nothing is left of it at the target, whoever still listens.
 */
export class Attempt implements UpstreamReader, Holder {
  readonly lease: Lease;
  upstream!: Upstream;
  readonly #plane: DataPlane;
  readonly #ways: Ways;
  readonly #exchange: Exchange;
  readonly #request: UpstreamRequest;
  readonly #repeatable: boolean;
  #owner: AttemptOwner | undefined;
  #answered = false;
  #connected = false;
  #bodySent: boolean;
  #resent = false;
  /** Stale ones that another one took the place of, and that are still to be closed. */
  #replaced = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    ways: Ways,
    plane: DataPlane,
    exchange: Exchange,
    lease: Lease,
    request: UpstreamRequest,
    owner: AttemptOwner,
  ) {
    this.#ways = ways;
    this.#plane = plane;
    this.#exchange = exchange;
    this.#request = request;
    this.#owner = owner;
    this.#bodySent = !request.hasBody;
    this.#repeatable = plane.isRepeatable(request.method, request.path);
    this.lease = lease;
  }

  start(): void {
    this.#exchange.holder = this;
    this.#send(false);
  }

  /** The whole body is on its way: from now on it is the target's turn to speak. */
  bodySent(): void {
    this.#bodySent = true;
    if (this.#connected && !this.#answered) this.#await("response_timeout");
  }

  /** Nobody waits for it any more: ends it at once. */
  cancel(): void {
    this.leave();
    this.upstream.cancel();
  }

  /** The request has gone elsewhere: stays open for its first byte, but no longer than any answer may take. */
  abandon(): void {
    this.leave();
    const { response_header } = this.#plane.config.timeouts;
    this.#timer = setTimeout(() => this.upstream.cancel(), response_header);
    this.#timer.unref();
  }

  onStalled(): void {
    this.#owner?.onStalled(this);
  }

  onConnected(): void {
    this.#connected = true;
    if (this.#owner === undefined || this.#answered) return;
    this.lease.sentAt = this.#plane.now();
    clearTimeout(this.#timer);
    if (this.#bodySent) this.#await("response_timeout");
  }

  onInterim(status: number, fields: readonly Field[]): void {
    this.#owner?.onInterim(status, fields);
  }

  onHead(head: UpstreamHead): void {
    this.#answered = true;
    this.#exchange.firstByte(this.lease);
    if (this.#owner === undefined) return this.upstream.cancel(); // it came after the request had gone elsewhere
    clearTimeout(this.#timer);
    this.#exchange.holder = undefined;
    this.#owner.onHead(this, head);
  }

  onData(chunk: Buffer): void {
    this.#exchange.heard(this.lease);
    this.#owner?.onData(chunk);
  }

  onEnd(trailers: readonly Field[]): void {
    const owner = this.#owner;
    this.leave();
    owner?.onEnd(trailers);
  }

  onFailed({ outcome, stale, code }: Failure): void {
    const owner = this.#owner;
    if (owner === undefined) return;
    if (stale !== undefined && this.#mayResend(stale)) {
      this.#resent = true;
      this.#replaced++;
      return this.#send(true);
    }
    this.leave();
    owner.onFailed(this, this.#answered && outcome === "reset" ? "truncated" : outcome, code);
  }

  onClosed(): void {
    if (this.#replaced > 0) {
      this.#replaced--;
      return;
    }
    clearTimeout(this.#timer);
    this.lease.release();
  }

  /** Not looked at, any request may go again; where the target may have acted, what may be repeated. */
  #mayResend(stale: NonNullable<Failure["stale"]>): boolean {
    if (this.#resent || this.#answered || !this.#exchange.bodyKept) return false;
    return stale === "unprocessed" || this.#repeatable;
  }

  #send(fresh: boolean): void {
    this.#connected = false;
    this.#bodySent = !this.#request.hasBody;
    this.#await("connect_timeout");
    this.upstream = this.#open(fresh);
    this.#owner?.onSent(this);
  }

  #open(fresh: boolean): Upstream {
    const way = { fresh, repeatable: this.#repeatable };
    try {
      return this.#ways.open(this.lease.target, this.#request, this, way);
    } catch {
      process.nextTick(() => this.#unwritable()); // Node refuses what it cannot write
      return NOWHERE;
    }
  }

  #unwritable(): void {
    this.onFailed({ outcome: "bad_request" });
    this.onClosed();
  }

  #await(outcome: "connect_timeout" | "response_timeout"): void {
    const { connect, response_header } = this.#plane.config.timeouts;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        const owner = this.#owner;
        this.cancel();
        owner?.onFailed(this, outcome, undefined);
      },
      outcome === "connect_timeout" ? connect : response_header,
    );
  }

  /** Its owner has heard all that it wants to hear. */
  leave(): void {
    this.#owner = undefined;
    clearTimeout(this.#timer);
    if (this.#exchange.holder === this) this.#exchange.holder = undefined;
  }
}

const NOWHERE: Upstream = {
  destroyed: true,
  write: () => true,
  end: () => {},
  once: () => {},
  pause: () => {},
  resume: () => {},
  cancel: () => {},
};
