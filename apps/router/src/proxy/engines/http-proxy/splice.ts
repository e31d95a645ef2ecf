import type { Socket } from "node:net";
import { Transform, type TransformCallback } from "node:stream";
import { probeWhileSilent } from "../keep-alive.ts";
import { CLOSING_TIME, FrameLane } from "../websocket-frames.ts";

/** One direction of a WebSocket, as a stream that can be closed between two frames. */
class Lane extends Transform {
  readonly frames: FrameLane;
  readonly #passed: () => void;
  ended = false;

  constructor(masked: boolean, passed: () => void) {
    super();
    this.frames = new FrameLane(masked);
    this.#passed = passed;
  }

  override _transform(bytes: Buffer, _encoding: string, done: TransformCallback): void {
    const kept = this.frames.pass(bytes);
    if (kept.length > 0) this.push(kept);
    done();
    this.#passed();
  }

  override _flush(done: TransformCallback): void {
    this.ended = true;
    done();
    this.#passed();
  }

  close(): void {
    const frame = this.frames.end();
    if (frame.length > 0 && !this.ended) this.push(frame);
  }

  /** The receiver has been told that the WebSocket closes. */
  get told(): boolean {
    return this.frames.shut || this.ended;
  }

  /** The sender has said that it closes, or says nothing any more. */
  get said(): boolean {
    return this.frames.closed || this.ended;
  }
}

/** The two connections of a WebSocket that http-proxy has joined, joined anew so that it can be closed as its ends do. */
export class Splice {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #up = new Lane(true, () => this.#close());
  readonly #down = new Lane(false, () => this.#close());
  #closing: NodeJS.Timeout | undefined;

  constructor(client: Socket, upstream: Socket) {
    this.#client = client;
    this.#upstream = upstream;
    for (const socket of [client, upstream]) {
      socket.unpipe();
      probeWhileSilent(socket);
      socket.once("close", () => clearTimeout(this.#closing));
    }
    upstream.pipe(this.#down).pipe(client).pipe(this.#up).pipe(upstream);
  }

  /**
   * A close frame to both, their answers, and then the connections (RFC 6455 section 7). Whoever does not answer within
   * {@link CLOSING_TIME} is not waited for.
   */
  end(): void {
    if (this.#closing !== undefined || this.#client.destroyed) return;
    this.#closing = setTimeout(() => this.#cut(), CLOSING_TIME).unref();
    this.#up.close();
    this.#down.close();
    this.#close();
  }

  #close(): void {
    if (this.#closing === undefined) return;
    const lost = this.#up.frames.lost || this.#down.frames.lost;
    if (lost || (this.#up.said && this.#down.told)) this.#down.end();
    if (lost || (this.#down.said && this.#up.told)) this.#up.end();
  }

  #cut(): void {
    this.#upstream.destroy();
    this.#client.destroy();
  }
}
