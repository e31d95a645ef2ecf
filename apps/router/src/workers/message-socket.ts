import type { Socket } from "node:net";

/** Bytes that may wait for a reader that has stopped; messages on top are dropped: reports repeat, requests must not wait. */
const MOST_WAITING = 8 << 20;
/** Milliseconds that a reader that has stopped may hold up the end. */
const PATIENCE = 1000;

/** Messages over a socket as lines of JSON: whole ones, in order; one that was cut off by its sender's death is dropped. */
export class MessageSocket<Out, In> {
  readonly #socket: Socket;
  #rest = "";

  constructor(socket: Socket, take: (message: In) => void, closed: () => void) {
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("error", () => {}); // "close" follows
    socket.on("close", closed);
    socket.on("data", (text: string) => {
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop()!;
      for (const line of lines) take(JSON.parse(line) as In);
    });
  }

  send(message: Out): void {
    if (this.#socket.writable && this.#socket.writableLength < MOST_WAITING)
      this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  /** Resolves once the other side has everything, or has not taken it for a second. */
  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve();
      const timer = setTimeout(() => this.#socket.destroy(), PATIENCE);
      this.#socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.end();
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
