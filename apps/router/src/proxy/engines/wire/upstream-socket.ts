import type { Socket } from "node:net";
import { readyEvent } from "../../../targets/dialer.ts";
import type { Target } from "../../../targets/target.ts";
import type { Engine } from "./engine-parts.ts";
import { Reads } from "./reads.ts";
import { stopWaiting, type Timed, type TimerQueue } from "./timers.ts";

/** A target's socket: how it is connected, and the time-out that it waits for, one at a time. */
export abstract class UpstreamSocket implements Timed {
  readonly target: Target;
  readonly socket: Socket;
  queue: TimerQueue | undefined;
  deadline = 0;
  earlier: Timed | undefined;
  later: Timed | undefined;
  connected = false;
  protected readonly engine: Engine;
  protected readonly reads: Reads;

  /** @param socket to the target. Default: a new one. */
  constructor(engine: Engine, target: Target, socket?: Socket) {
    this.engine = engine;
    this.target = target;
    const read = (bytes: Buffer) => this.read(bytes);
    this.reads = new Reads(engine.readBuffer, read);
    this.socket = socket ?? this.#dial();
    engine.timers.connect.add(this, engine.plane.now());
    this.socket.on(readyEvent(this.socket), () => {
      this.connected = true;
      stopWaiting(this);
      this.ready();
    });
    this.socket.on("data", read); // also keeps the end of the stream coming
    this.socket.on("end", () => this.ended());
    this.socket.on("error", (error) => this.broken(error));
    this.socket.on("close", () => this.broken(undefined));
    this.socket.on("drain", () => this.drained());
  }

  abstract onTimeout(queue: TimerQueue): void;
  /** It is connected, and nothing is waited for. */
  protected abstract ready(): void;
  /** Bytes have come; they are only good during the call. */
  protected abstract read(bytes: Buffer): void;
  /** The target has taken what was written. */
  protected abstract drained(): void;
  /** The target has closed its half. */
  protected abstract ended(): void;
  /** No connection could be made, or there is none any more. */
  protected abstract broken(error: NodeJS.ErrnoException | undefined): void;

  /** It is the target's turn to speak, or to take what was written. */
  protected awaitHead(): void {
    this.engine.timers.responseHeader.add(this, this.engine.plane.now());
  }

  /** The answer has begun, and its next part is waited for. */
  protected awaitBytes(): void {
    this.engine.timers.streamIdle.add(this, this.engine.plane.now());
  }

  #dial(): Socket {
    return this.engine.plane.dialer.dial(this.target, { allowHalfOpen: true, onread: this.reads.onread });
  }
}
