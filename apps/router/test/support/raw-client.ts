import { connect, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";

/** A client that speaks bytes, for requests that no HTTP library would send. */
export class RawClient {
  readonly socket: Socket;
  /** The other side ended with a reset, so that an answer may have been lost. */
  reset = false;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.reset ||= error.code === "ECONNRESET";
    });
    const ended = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("end", ended);
    socket.on("close", ended);
  }

  /** @param tls speaks TLS, with these options */
  static connect(port: number, tls?: ConnectionOptions): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const where = { port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true };
      const socket = tls ? connectTls({ ...where, ...tls }) : connect(where);
      socket.once("error", reject);
      socket.once(tls ? "secureConnect" : "connect", () => resolve(new RawClient(socket)));
    });
  }

  get text(): string {
    return this.#received.toString("latin1");
  }

  get closed(): boolean {
    return this.#ended;
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** Resolves with all that was received once it matches; rejects when the connection ends before. */
  async until(pattern: RegExp | string): Promise<string> {
    for (;;) {
      if (typeof pattern === "string" ? this.text.includes(pattern) : pattern.test(this.text))
        return this.text;
      if (this.#ended)
        throw new Error(`the connection ended before ${pattern}; received: ${JSON.stringify(this.text)}`);
      await this.#next();
    }
  }

  /** Resolves with all that was received once the other side has closed. */
  async untilClosed(): Promise<string> {
    while (!this.#ended) await this.#next();
    return this.text;
  }

  close(): void {
    this.socket.destroy();
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
