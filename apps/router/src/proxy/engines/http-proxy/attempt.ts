import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { Timeouts } from "../../../config/config.ts";
import { answeredWith, type Outcome } from "../../../core/outcome.ts";
import type { Lease } from "../../../targets/target.ts";
import type { Exchange } from "../../exchange.ts";

/** How the first half of an attempt ends: with an answer's head, or without one. */
export type HeadResult =
  | { readonly response: IncomingMessage; readonly outcome: Outcome }
  | { readonly outcome: Outcome };

/**
 * One try at one target. `head` waits for the answer's head, `relay` passes the answer on. Neither ever throws: every
 * ending is an outcome. The lease is released when the upstream side has ended, whoever still listens.
 */
export class Attempt {
  readonly lease: Lease;
  readonly #exchange: Exchange;
  readonly #timeouts: Timeouts;
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #connected = false;
  #resolve: ((result: HeadResult) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #cancelled = false;

  constructor(exchange: Exchange, lease: Lease, timeouts: Timeouts) {
    this.#exchange = exchange;
    this.lease = lease;
    this.#timeouts = timeouts;
  }

  /** Resolves once: with the head, or with the reason that there is none. `send` starts the upstream request. */
  head(send: (attempt: Attempt) => void): Promise<HeadResult> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#timer = setTimeout(() => this.#expire("connect_timeout"), this.#timeouts.connect);
      this.#exchange.onStalled = () => this.#settleHead({ outcome: "stalled" });
      send(this);
    });
  }

  /** http-proxy has made its request and is about to send it. */
  bind(request: ClientRequest): void {
    this.#request = request;
    request.once("socket", (socket) => {
      if (socket.connecting) socket.once("connect", () => this.#connectedNow());
      else this.#connectedNow();
    });
    request.on("response", (response) => this.#answered(response));
    request.once("close", () => this.#closed());
    if (this.#cancelled) request.destroy();
  }

  /** http-proxy's own report of a failure on the way to the answer's head. */
  failed(error: NodeJS.ErrnoException): void {
    this.#settleHead({ outcome: failure(error, this.#connected) });
    if (!this.#request) this.#closed();
  }

  /** Gives the attempt up: the upstream connection is closed, and nothing it still says is read. */
  cancel(outcome: Outcome): void {
    this.#cancelled = true;
    this.#settleHead({ outcome });
    this.#request?.destroy();
  }

  /** Passes the answer's body on. The head has been written; `written` is told the bytes of each chunk. */
  relay(response: IncomingMessage, out: ServerResponse, written: (bytes: number) => void): Promise<Outcome> {
    return new Promise((resolve) => {
      const end = (outcome: Outcome) => {
        clearTimeout(idle);
        out.off("close", gone);
        response.removeAllListeners("data");
        if (outcome !== answeredWith(response.statusCode ?? 502)) this.#breakOff(out);
        resolve(outcome);
      };
      const gone = () => end(out.writableFinished ? answeredWith(response.statusCode!) : "client_abort");
      const idle = setTimeout(() => end("stream_timeout"), this.#timeouts.stream_idle);
      out.once("close", gone);
      response.on("data", (chunk: Buffer) => {
        idle.refresh();
        written(chunk.length);
        if (out.write(chunk)) return;
        response.pause();
        clearTimeout(idle); // a slow reader is not the upstream's fault
        out.once("drain", () => {
          idle.refresh();
          response.resume();
        });
      });
      response.once("end", () => {
        if (!response.complete) return end("truncated");
        clearTimeout(idle);
        out.end(() => end(answeredWith(response.statusCode!)));
      });
      response.once("error", () => end("truncated"));
      response.once("aborted", () => end("truncated"));
    });
  }

  /** Reads the rest of an answer that nobody wants, so that its connection can serve again. */
  discard(): void {
    this.#response?.resume();
  }

  #breakOff(out: ServerResponse): void {
    this.#request?.destroy();
    out.destroy();
  }

  #connectedNow(): void {
    this.#connected = true;
    if (!this.#resolve) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#expire("response_timeout"), this.#timeouts.response_header);
  }

  #answered(response: IncomingMessage): void {
    this.#response = response;
    this.#exchange.firstByte(this.lease);
    response.once("close", () => this.#closed());
    if (this.#resolve) this.#settleHead({ response, outcome: answeredWith(response.statusCode ?? 502) });
    else response.resume(); // it came after the request had gone elsewhere
  }

  #expire(outcome: Outcome): void {
    this.#settleHead({ outcome });
    this.#request?.destroy();
  }

  #settleHead(result: HeadResult): void {
    const resolve = this.#resolve;
    if (!resolve) return;
    this.#resolve = undefined;
    this.#exchange.onStalled = undefined;
    clearTimeout(this.#timer);
    if (result.outcome === "stalled") this.#waitOn();
    resolve(result);
  }

  /** A stalled attempt stays open for its first byte, but not for longer than any answer may take. */
  #waitOn(): void {
    this.#timer = setTimeout(() => this.#request?.destroy(), this.#timeouts.response_header);
    this.#timer.unref();
  }

  #closed(): void {
    clearTimeout(this.#timer);
    this.lease.release();
    this.#settleHead({ outcome: "reset" });
  }
}

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EADDRNOTAVAIL",
  "ETIMEDOUT",
  "EMFILE",
  "ENFILE",
]);

/** Which ending an error before the answer's head is. */
function failure(error: NodeJS.ErrnoException, connected: boolean): Outcome {
  const code = error.code ?? "";
  if (code.startsWith("HPE_")) return "invalid_response";
  if (!connected || UNREACHABLE.has(code)) return "connect_failed";
  return "reset";
}
