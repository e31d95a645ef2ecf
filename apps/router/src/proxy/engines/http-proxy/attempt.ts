import type { ClientRequest, IncomingMessage } from "node:http";
import type { Timeouts } from "../../../config/config.ts";
import { answeredWith, type Outcome } from "../../../core/outcome.ts";
import { responseFault } from "../../../core/response-head.ts";
import { readyEvent } from "../../../targets/dialer.ts";
import type { Lease } from "../../../targets/target.ts";
import type { Exchange } from "../../exchange.ts";
import { failure } from "../failure.ts";
import { fieldsOf } from "./answer.ts";

/** How the first half of an attempt ends: with an answer's head, or without one. */
export type HeadResult =
  | { readonly response: IncomingMessage; readonly outcome: Outcome }
  | { readonly outcome: Outcome };

/**
 * One try at one target: sends the request and waits for the answer's head. It never throws: every ending is an
 * outcome. The lease is released when the upstream side has ended, whoever still listens.
 */
export class Attempt {
  readonly lease: Lease;
  /** A kept connection turned out to be stale, so this one must be new. */
  fresh = false;
  readonly #exchange: Exchange;
  readonly #timeouts: Timeouts;
  /** Whether the same request may go to the same target once more. */
  readonly #mayResend: () => boolean;
  #send: ((attempt: Attempt) => void) | undefined;
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #connected = false;
  #bodySent = false;
  #resolve: ((result: HeadResult) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(exchange: Exchange, lease: Lease, timeouts: Timeouts, mayResend: () => boolean) {
    this.#exchange = exchange;
    this.lease = lease;
    this.#timeouts = timeouts;
    this.#mayResend = mayResend;
  }

  /** Resolves once: with the head, or with the reason that there is none. `send` starts the upstream request. */
  head(send: (attempt: Attempt) => void): Promise<HeadResult> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#send = send;
      this.#exchange.holder = { onStalled: () => this.#settleHead({ outcome: "stalled" }) };
      this.#start();
    });
  }

  /** http-proxy has made its request and is about to send it. */
  bind(request: ClientRequest): void {
    this.#request = request;
    request.once("socket", (socket) => {
      if (socket.connecting) socket.once(readyEvent(socket), () => this.#connectedNow(true));
      else this.#connectedNow();
    });
    request.on("response", (response) => this.#answered(response));
    request.on("upgrade", (_response, socket) => {
      socket.destroy();
      this.#settleHead({ outcome: "invalid_response" }); // nobody asked for 101
    });
    request.once("close", () => this.#closed(request));
  }

  /** The whole body is on its way: from now on it is the upstream's turn to speak. */
  bodySent(): void {
    this.#bodySent = true;
    if (this.#connected) this.#awaitHead();
  }

  /** http-proxy's own report of a failure on the way to the answer's head. */
  failed(error: NodeJS.ErrnoException): void {
    if (!this.#resolve) return;
    const outcome = failure(error, this.#connected);
    if (outcome === "reset" && this.#request?.reusedSocket && !this.fresh && this.#mayResend()) {
      this.fresh = true;
      this.#start();
      return;
    }
    this.#settleHead({ outcome });
    if (!this.#request) this.lease.release();
  }

  /** Gives the attempt up: the upstream connection is closed, and nothing it still says is read. */
  cancel(outcome: Outcome): void {
    this.#settleHead({ outcome });
    this.close();
  }

  /** Closes the upstream connection, unless the exchange on it is complete and it can serve again. */
  close(): void {
    this.#request?.destroy();
  }

  /** Reads the rest of an answer that nobody wants, so that its connection can serve again. */
  discard(): void {
    this.#response?.resume();
    this.#waitOn();
  }

  #start(): void {
    this.#connected = false;
    this.#bodySent = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.cancel("connect_timeout"), this.#timeouts.connect);
    this.#request = undefined;
    try {
      this.#send?.(this);
    } catch (error) {
      this.failed(error as NodeJS.ErrnoException); // http.request refuses what it cannot write
    }
  }

  #connectedNow(isNew = false): void {
    this.#connected = true;
    if (isNew) this.lease.sentAt = this.#exchange.now();
    if (!this.#resolve) return;
    clearTimeout(this.#timer);
    if (this.#bodySent) this.#awaitHead();
  }

  #awaitHead(): void {
    if (!this.#resolve) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.cancel("response_timeout"), this.#timeouts.response_header);
  }

  #answered(response: IncomingMessage): void {
    this.#response = response;
    this.#exchange.firstByte(this.lease);
    const request = this.#request!;
    response.once("close", () => this.#closed(request));
    if (!this.#resolve) {
      response.resume(); // it came after the request had gone elsewhere
      return;
    }
    const { statusCode: status = 0, statusMessage: reason = "", httpVersion } = response;
    const fault = responseFault({ status, reason, httpVersion, fields: fieldsOf(response) });
    if (fault === undefined) this.#settleHead({ response, outcome: answeredWith(status) });
    else this.cancel("invalid_response");
  }

  #settleHead(result: HeadResult): void {
    const resolve = this.#resolve;
    if (!resolve) return;
    this.#resolve = undefined;
    this.#exchange.holder = undefined;
    clearTimeout(this.#timer);
    if (result.outcome === "stalled") this.#waitOn();
    resolve(result);
  }

  /** What nobody waits for stays open for its first byte, but not for longer than any answer may take. */
  #waitOn(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.close(), this.#timeouts.response_header);
    this.#timer.unref();
  }

  #closed(request: ClientRequest): void {
    if (request !== this.#request) return; // a stale connection's, which was replaced
    clearTimeout(this.#timer);
    this.lease.release();
    this.#settleHead({ outcome: "reset" });
  }
}
