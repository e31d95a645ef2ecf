import type { Server, ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Http2Side } from "./http2.ts";

/** Requests to these are a balancer's or a scraper's and no sign of traffic. */
const CHECKS = /^\/(?:(?:v2\/)?health\/(?:ready|live)(?:\?|$)|metrics(?:\?|$)|grpc\.health\.v1\.Health\/)/;

/** What goes on at a server's sockets, for one who wants to end it. */
export class Traffic {
  /** Over HTTP/1.1, where answers say that they are the last. */
  readonly #answering = new Set<ServerResponse>();
  readonly #sockets = new Set<Socket>();
  #inFlight = 0;
  #lastRequest = 0;
  #lastAnswers = false;

  constructor(server: Server, http2?: Pick<Http2Side, "onRequest">) {
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    // First in line, so that the header is set before the app answers.
    server.prependListener("request", (request, response) => {
      this.#begin(request.url ?? "", response);
      this.#answering.add(response);
      if (this.#lastAnswers) response.setHeader("Connection", "close");
      response.once("close", () => this.#answering.delete(response));
    });
    http2?.onRequest((path, response) => this.#begin(path, response));
  }

  /** Requests that are being answered. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** From now on each answer, those in the making too, says `Connection: close`; and silence counts from now. */
  closeWithAnswers(): void {
    this.#lastAnswers = true;
    this.#lastRequest = performance.now();
    for (const response of this.#answering)
      if (!response.headersSent) response.setHeader("Connection", "close");
  }

  /** Resolves once no request came for `quiet` milliseconds, or at the moment `until`. */
  async silence(quiet: number, until: number): Promise<void> {
    for (;;) {
      const left = Math.min(until, this.#lastRequest + quiet) - performance.now();
      if (left <= 0) return;
      await setTimeout(Math.ceil(left));
    }
  }

  /** Closes connections that never sent a byte: Node counts them as busy, and a browser's spare one would hold us. */
  closeUnused(): void {
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
  }

  #begin(url: string, response: ServerResponse | Http2ServerResponse): void {
    this.#inFlight++;
    if (!CHECKS.test(url)) this.#lastRequest = performance.now();
    response.once("close", () => {
      this.#inFlight--;
    });
  }
}
