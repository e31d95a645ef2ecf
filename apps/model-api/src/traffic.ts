import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";

/** Requests to these are a balancer's or a scraper's and no sign of traffic. */
const CHECKS = /^\/(?:health\/(?:ready|live)|metrics)(?:\?|$)/;

/** What goes on at a server's sockets, for one who wants to end it. */
export class Traffic {
  readonly #answering = new Set<ServerResponse>();
  readonly #sockets = new Set<Socket>();
  #lastRequest = 0;
  #lastAnswers = false;

  constructor(server: Server) {
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    // First in line, so that the header is set before the app answers.
    server.prependListener("request", (request, response) => this.#begin(request.url ?? "", response));
  }

  /** Requests that are being answered. */
  get inFlight(): number {
    return this.#answering.size;
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

  #begin(url: string, response: ServerResponse): void {
    this.#answering.add(response);
    if (!CHECKS.test(url)) this.#lastRequest = performance.now();
    if (this.#lastAnswers) response.setHeader("Connection", "close");
    response.once("close", () => this.#answering.delete(response));
  }
}
