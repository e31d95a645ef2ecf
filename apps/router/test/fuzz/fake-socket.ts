import { EventEmitter } from "node:events";
import type { Socket } from "node:net";

/** The part of a socket that the engine uses, without a network: what is written is kept, what arrives is emitted. */
export class FakeSocket extends EventEmitter {
  readonly remoteAddress = "127.0.0.1";
  readonly writableNeedDrain = false;
  destroyed = false;
  ended = false;
  reset = false;
  #paused = false;
  #written = "";

  /** All that was written, in latin1. */
  get written(): string {
    return this.#written;
  }

  /** Nothing more is read by the other side, or nothing more comes. */
  get over(): boolean {
    return this.destroyed || this.ended;
  }

  get writable(): boolean {
    return !this.over;
  }

  asSocket(): Socket {
    return this as unknown as Socket;
  }

  write(data: string | Buffer, encoding?: string): boolean {
    if (this.over) return false;
    if (typeof data !== "string") this.#written += data.toString("latin1");
    else if (encoding === "latin1") this.#written += data;
    else this.#written += Buffer.from(data).toString("latin1");
    return true;
  }

  cork(): void {}
  uncork(): void {}

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  isPaused(): boolean {
    return this.#paused;
  }

  end(done?: () => void): void {
    this.ended = true;
    done?.();
  }

  destroySoon(): void {
    this.destroy();
  }

  resetAndDestroy(): void {
    this.reset = true;
    this.destroy();
  }

  destroy(): void {
    this.destroyed = true;
  }
}

/** Has bytes arrive that are only good during the call, as in a buffer that is read into again; they may be written over. */
export function feed(socket: FakeSocket, bytes: Buffer): void {
  const buffer = Buffer.from(bytes);
  socket.emit("data", buffer);
  buffer.fill("!");
}
