import type { Socket } from "node:net";
import type { Outcome } from "../../../core/outcome.ts";
import { CLOSING_TIME, FrameLane } from "../websocket-frames.ts";
import type { AnswerReader } from "./answer-reader.ts";
import type { Engine } from "./engine-parts.ts";
import { isStuck, lasting } from "./reads.ts";
import { stopWaiting, type Timed, type TimerQueue } from "./timers.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

/** One direction of a tunnel. Its time is up when nothing has moved for `stream_idle` though something should. */
class Lane implements Timed {
  queue: TimerQueue | undefined;
  deadline = 0;
  earlier: Timed | undefined;
  later: Timed | undefined;
  bytes = 0;
  /** The sender has closed its half. */
  ended = false;
  /** The receiver has got everything, and the end. */
  done = false;
  readonly frames: FrameLane;
  readonly #tunnel: Tunnel;
  readonly #from: Socket;
  readonly #to: Socket;

  /** @param masked the sender is the client */
  constructor(tunnel: Tunnel, from: Socket, to: Socket, masked: boolean) {
    this.#tunnel = tunnel;
    this.#from = from;
    this.#to = to;
    this.frames = new FrameLane(masked);
  }

  pass(bytes: Buffer): void {
    this.#write(this.frames.pass(bytes));
    if (isStuck(this.#to)) this.#from.pause();
    this.#tunnel.moved(this);
  }

  #write(bytes: Buffer): void {
    if (bytes.length === 0 || this.ended) return;
    this.bytes += bytes.length;
    this.#to.write(lasting(bytes));
  }

  /** Says to the receiver that the WebSocket closes, as soon as no frame is under way. */
  close(): void {
    this.#write(this.frames.end());
  }

  /** The receiver has been told that the WebSocket closes. */
  get told(): boolean {
    return this.frames.shut || this.ended;
  }

  /** The sender has said that it closes, or says nothing any more. */
  get said(): boolean {
    return this.frames.closed || this.ended;
  }

  drained(): void {
    this.#from.resume();
    this.#tunnel.moved(this);
  }

  /** Passes the end on; the other direction goes on, as with any proxy of TCP. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#to.end(() => {
      this.done = true;
      this.#tunnel.halfDone();
    });
    this.#tunnel.moved(this);
  }

  get stuck(): boolean {
    return isStuck(this.#to);
  }

  onTimeout(): void {
    this.#tunnel.onFailed("answered");
  }
}

/** Two connections after a switch of protocols: what comes from one goes to the other (RFC 9110 section 7.8). */
export class Tunnel implements AnswerReader {
  readonly #engine: Engine;
  readonly #upstream: UpstreamConnection;
  readonly #onOver: (bytes: number) => void;
  readonly #up: Lane;
  readonly #down: Lane;
  #over = false;
  /** While the WebSocket is being closed by us. */
  #closing: NodeJS.Timeout | undefined;

  /** @param onOver both sides have ended, or either is lost; with the bytes that went to the client */
  constructor(engine: Engine, client: Socket, upstream: UpstreamConnection, onOver: (bytes: number) => void) {
    this.#engine = engine;
    this.#upstream = upstream;
    this.#onOver = onOver;
    this.#up = new Lane(this, client, upstream.socket, true);
    this.#down = new Lane(this, upstream.socket, client, false);
    upstream.adopt(this);
  }

  /** The target takes no more for now. */
  get stuck(): boolean {
    return this.#up.stuck;
  }

  /**
   * Ends it as either side would: a close frame to both, their answers, and then the connections (RFC 6455 section 7).
   * Whoever does not answer within {@link CLOSING_TIME} is not waited for.
   */
  end(): void {
    if (this.#over || this.#closing !== undefined) return;
    this.#closing = setTimeout(() => this.onFailed("answered"), CLOSING_TIME).unref();
    this.#up.close();
    this.#down.close();
    this.#close();
  }

  /** Closes each connection once both directions of it are over. */
  #close(): void {
    if (this.#closing === undefined || this.#over) return;
    const lost = this.#up.frames.lost || this.#down.frames.lost;
    if (lost || (this.#up.said && this.#down.told)) this.#down.end();
    if (lost || (this.#down.said && this.#up.told)) this.#up.end();
  }

  fromClient(bytes: Buffer): void {
    this.#up.pass(bytes);
    this.#close();
  }

  clientDrained(): void {
    this.#down.drained();
  }

  clientEnded(): void {
    this.#up.end();
  }

  /** Whoever has heard the other's end and said its own may go; what it said is still delivered. */
  clientGone(): void {
    if (!this.#up.ended || !this.#down.done) this.onFailed("answered");
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#down.pass(bytes.subarray(start, end));
    this.#close();
  }

  onDrain(): void {
    this.#up.drained();
  }

  onEnd(): void {
    this.#down.end();
  }

  onFailed(_outcome: Outcome): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#closing);
    stopWaiting(this.#up);
    stopWaiting(this.#down);
    this.#upstream.destroy();
    this.#onOver(this.#down.bytes);
  }

  /** Something went this way, or may now: both directions' clocks are set by what they wait for. */
  moved(lane: Lane): void {
    const other = lane === this.#up ? this.#down : this.#up;
    this.#watch(lane, other);
    if (lane.ended && other.queue === undefined) this.#watch(other, lane);
  }

  /** Two sides that are both at rest may be so for as long as they like; one that alone is left may not. */
  #watch(lane: Lane, other: Lane): void {
    const { timers, plane } = this.#engine;
    if (!lane.done && (lane.stuck || lane.ended || other.ended)) timers.streamIdle.add(lane, plane.now());
    else stopWaiting(lane);
  }

  halfDone(): void {
    if (this.#up.done && this.#down.done) this.onFailed("answered");
    else if (this.#up.done) stopWaiting(this.#up);
    else stopWaiting(this.#down);
  }

  mayResend(): boolean {
    return false;
  }

  onInterim(): boolean {
    return false;
  }

  onHead(): void {}
  onSwitched(): void {}
  onStale(): void {}
}
