import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * How long a connection that we have closed is still read, in milliseconds. To close a socket with unread bytes resets
 * it, and a reset can overtake our last answer (RFC 9112 section 9.6).
 */
const LINGER = 2000;
/** Requests that may wait behind the one being answered before the client is no longer read. */
const PIPELINED = 16;

/** One request's place in its connection's order. */
export interface Turn {
  readonly request?: IncomingMessage;
  readonly out?: ServerResponse;
  readonly start: (turn: Turn) => void;
  /** Set by whoever answers: the body turned out not to be HTTP. */
  onBroken?: () => void;
  /** The body was broken before the turn came. */
  broken?: boolean;
}

/**
 * One client connection: Node's parser hands over pipelined requests as fast as they are read; here they wait for each
 * other (RFC 9112 section 9.3.2), and what follows the last answer is ignored.
 */
export class Connection {
  readonly socket: Socket;
  readonly #waiting: Turn[] = [];
  #turn: Turn | undefined;
  #newest: Turn | undefined;
  #ending = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.destroySoon = () => this.end(); // what Node calls after an answer with "Connection: close"
  }

  /** The last answer is out, or being written: nothing that still comes is looked at. */
  get ending(): boolean {
    return this.#ending;
  }

  /** No request is being answered. */
  get idle(): boolean {
    return this.#turn === undefined;
  }

  /** The answer under way says that it is the last one, unless its head has been written. */
  leave(): void {
    const out = this.#turn?.out;
    if (out !== undefined && !out.headersSent) out.shouldKeepAlive = false;
  }

  /** Calls `start` once everything before has been answered, or never if the connection ends before that. */
  take(request: IncomingMessage, out: ServerResponse, start: (turn: Turn) => void): void {
    if (this.#ending) {
      request.resume();
      return;
    }
    const turn: Turn = { request, out, start };
    this.#newest = turn;
    out.once("close", () => this.#next());
    this.#enqueue(turn);
  }

  /** The same for what ends the connection without a response object. */
  finally(start: () => void): void {
    if (!this.#ending) this.#enqueue({ start });
  }

  /**
   * The client's bytes are not HTTP. If they belong to a body, whoever answers it is told; else `answer` is called once
   * everything before has been answered.
   */
  broken(answer: () => void): void {
    const newest = this.#newest;
    if (newest?.request && !newest.request.complete) {
      newest.broken = true;
      newest.onBroken?.();
    } else this.finally(answer);
  }

  /** Closes our half, and the other one when the client does so or has had its time. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#waiting.length = 0;
    const { socket } = this;
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), LINGER);
    socket.once("close", () => clearTimeout(timer));
    socket.end();
    socket.resume();
  }

  #enqueue(turn: Turn): void {
    if (this.#turn === undefined) {
      this.#turn = turn;
      turn.start(turn);
      return;
    }
    this.#waiting.push(turn);
    // Not at once: Node resumes the socket at the end of each message that it has parsed.
    if (this.#waiting.length === PIPELINED) process.nextTick(() => this.#throttle());
  }

  #throttle(): void {
    if (this.#waiting.length >= PIPELINED) this.socket.pause();
  }

  #next(): void {
    this.#turn = undefined;
    const turn = this.#ending || this.socket.destroyed ? undefined : this.#waiting.shift();
    if (!turn) return;
    if (this.#waiting.length === PIPELINED - 1) this.socket.resume();
    this.#turn = turn;
    turn.start(turn);
  }
}
