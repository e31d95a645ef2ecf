import type { Socket } from "node:net";
import { plainAddress } from "../../networks.ts";
import type { Problem } from "../problem.ts";
import type { Engine } from "./engine-parts.ts";
import { problemText } from "./problems.ts";
import { isStuck, Reads, readInto } from "./reads.ts";
import { writePiece } from "./request-writer.ts";
import { stopWaiting, type Timed, type TimerQueue } from "./timers.ts";

/** A client's socket: what is written to it, and the time-out that it waits for, one at a time. */
export abstract class ClientSocket implements Timed {
  readonly socket: Socket;
  queue: TimerQueue | undefined;
  deadline = 0;
  earlier: Timed | undefined;
  later: Timed | undefined;
  protected readonly engine: Engine;
  /** The other end's address, without the IPv6 form of IPv4. */
  protected readonly peer: string;
  protected readonly reads: Reads;

  /** @param accepted by a server with `pauseOnConnect` */
  constructor(engine: Engine, accepted: Socket) {
    const read = (bytes: Buffer) => this.read(bytes);
    this.engine = engine;
    this.reads = new Reads(engine.readBuffer, read);
    this.socket = readInto(accepted, this.reads);
    this.peer = plainAddress(this.socket.remoteAddress ?? "");
    this.socket.on("data", read); // also keeps the end of the stream coming
  }

  abstract onTimeout(queue: TimerQueue): void;
  /** Bytes have come; they are only good during the call. */
  protected abstract read(bytes: Buffer): void;

  /** Text of a head, or of a small answer. */
  write(text: string): void {
    if (this.socket.writable) this.socket.write(text, "latin1");
  }

  /** A piece of an answer's body. @returns false when the client has to catch up first */
  writeBody(bytes: Buffer, chunked: boolean): boolean {
    writePiece(this.socket, chunked, bytes);
    if (!isStuck(this.socket)) return true;
    this.awaitReader();
    return false;
  }

  /** @returns the bytes of the body */
  writeProblem(problem: Problem, requestId: string | undefined, close: boolean, headOnly: boolean): number {
    const { head, body } = problemText(problem, requestId, this.engine.date(), close);
    if (this.socket.writable) this.socket.write(headOnly ? head : head + body);
    return headOnly ? 0 : Buffer.byteLength(body);
  }

  protected awaitHeader(): void {
    this.engine.timers.clientHeader.add(this, this.engine.plane.now());
  }

  /** Who does not read its answer is waited for until it does, whatever it sends. */
  protected awaitBody(): void {
    const { timers, plane } = this.engine;
    if (this.queue !== timers.streamIdle) timers.clientBody.add(this, plane.now());
  }

  protected stopAwaitingBody(): void {
    if (this.queue !== this.engine.timers.streamIdle) stopWaiting(this);
  }

  protected awaitReader(): void {
    this.engine.timers.streamIdle.add(this, this.engine.plane.now());
  }
}
