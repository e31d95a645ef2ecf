import type { Socket } from "node:net";
import type { RequestFacts } from "../../../core/request-facts.ts";
import { isRefusal } from "../../../core/request-line.ts";
import { plainAddress } from "../../networks.ts";
import { headText, idField, type Problem, problemBody } from "../problem.ts";
import { admitHead } from "./admit-head.ts";
import type { Engine } from "./engine-parts.ts";
import { findHeadEnd, type Head, INCOMPLETE, MALFORMED } from "./head.ts";
import { HEADER_TOO_LARGE, HEADER_TOO_SLOW, problemOf, UNREADABLE } from "./problems.ts";
import { isStuck, Reads, readInto } from "./reads.ts";
import { RequestHeads } from "./request-head.ts";
import { stopWaiting, type Timed, type TimerQueue } from "./timers.ts";
import { readTraits } from "./traits.ts";
import { Transaction } from "./transaction.ts";
import type { Tunnel } from "./tunnel.ts";
import { WireFacts } from "./wire-facts.ts";

/** A client that closes its half so soon after its request, in milliseconds, did both in one go. */
const TOGETHER = 10;
const READING = 0;
const ANSWERING = 1;
const TUNNEL = 2;
/** Our half is closed; what still comes is thrown away. */
const LINGERING = 3;
const CLOSED = 4;

/** One client connection: reads one request after another, and has each answered before it reads the next. */
export class ClientConnection implements Timed {
  readonly socket: Socket;
  queue: TimerQueue | undefined;
  deadline = 0;
  earlier: Timed | undefined;
  later: Timed | undefined;
  readonly #engine: Engine;
  readonly #heads: RequestHeads;
  readonly #peer: string;
  readonly #reads: Reads;
  #state = READING;
  #transaction: Transaction | undefined;
  /** Read, and not yet understood: the beginning of a head, or pipelined requests. A copy of its own. */
  #rest: Buffer | undefined;
  #scanned = 0;
  #knownHost: string | undefined;
  #tunnel: Tunnel | undefined;
  /** When the last request came in whole, on the plane's clock. */
  #wholeIn = 0;
  #halfClosed = false;
  #fresh = true;

  /** @param accepted by a server with `pauseOnConnect` */
  constructor(engine: Engine, accepted: Socket) {
    const { plane } = engine;
    const read = (bytes: Buffer) => this.#read(bytes);
    this.#engine = engine;
    this.#reads = new Reads(engine.readBuffer, read);
    const socket = readInto(accepted, this.#reads);
    this.socket = socket;
    this.#peer = plainAddress(socket.remoteAddress ?? "");
    const drop = plane.config.override?.header;
    this.#heads = new RequestHeads({ peer: this.#peer, trusted: plane.isTrusted(this.#peer), drop });
    engine.timers.clientHeader.add(this, plane.now());
    socket.on("data", read); // also keeps the end of the stream coming
    socket.on("drain", () => this.#drained());
    socket.on("end", () => this.#ended());
    socket.on("error", () => this.destroy());
    socket.on("close", () => this.destroy());
    socket.resume();
  }

  get idle(): boolean {
    return this.#state === READING && this.#rest === undefined;
  }

  /** Text of a head, or of a small answer. */
  write(text: string): void {
    if (this.socket.writable) this.socket.write(text, "latin1");
  }

  /** A piece of an answer's body. @returns false when the client has to catch up first */
  writeBody(bytes: Buffer, chunked: boolean): boolean {
    const { socket } = this;
    if (chunked) {
      socket.cork();
      socket.write(`${bytes.length.toString(16)}\r\n`, "latin1");
      socket.write(bytes);
      socket.write("\r\n", "latin1");
      socket.uncork();
    } else socket.write(bytes);
    if (!isStuck(socket)) return true;
    this.#awaitReader();
    return false;
  }

  /** @returns the bytes of the body */
  writeProblem(problem: Problem, requestId: string | undefined, close: boolean, headOnly: boolean): number {
    const body = problemBody(problem, requestId);
    const size = Buffer.byteLength(body);
    const head = headText(problem.status, problem.title, [
      ["Content-Type", "application/problem+json"],
      ["Content-Length", String(size)],
      ["Date", this.#engine.date()],
      ...(problem.fields ?? []),
      ...(close ? ([["Connection", "close"]] as const) : []),
    ]);
    if (this.socket.writable) this.socket.write(headOnly ? head : head + body);
    return headOnly ? 0 : size;
  }

  /** The request's target takes no more for now. */
  pauseBody(): void {
    this.#stopAwaitingBody();
    this.socket.pause();
  }

  resumeBody(): void {
    if (this.#transaction?.body.complete === false) this.#awaitBody();
    this.#readOn();
  }

  /** The answer has been written, and so the next request is read; or the connection is closed. */
  answered(close: boolean): void {
    if (this.#state === CLOSED) return;
    this.#transaction = undefined;
    this.#tunnel = undefined;
    if (close || (this.#halfClosed && this.#rest === undefined)) return this.#end();
    this.#state = READING;
    if (!this.socket.writableNeedDrain) return this.#next();
    // A client that does not read gets no further answers.
    this.socket.pause();
    this.#awaitReader();
  }

  /** The answer broke off. A body that lasts until the connection's end needs a reset to tell. */
  cut(untilClose: boolean): void {
    if (this.#state === CLOSED) return;
    this.#transaction = undefined;
    if (!untilClose) return this.#end();
    this.#close();
    this.socket.resetAndDestroy();
  }

  /** From now on bytes go both ways. */
  tunnel(tunnel: Tunnel): void {
    this.#state = TUNNEL;
    this.#tunnel = tunnel;
    stopWaiting(this);
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest) tunnel.fromClient(rest);
    if (this.#halfClosed) tunnel.clientEnded();
    else if (!tunnel.stuck) this.#readOn();
  }

  destroy(): void {
    if (this.#state === CLOSED) return;
    const transaction = this.#transaction;
    this.#close();
    this.socket.destroy();
    transaction?.giveUp("client_abort");
  }

  /** Ends the connection if nothing has been going on since then; else after the answer, since the engine drains. */
  endIfIdle(since: number): void {
    const { keepalive } = this.#engine.timers;
    if (!this.idle || this.socket.isPaused()) return;
    if (this.queue !== keepalive || this.deadline - keepalive.milliseconds <= since) this.#end();
  }

  onTimeout(queue: TimerQueue): void {
    const { timers } = this.#engine;
    if (queue === timers.clientHeader && this.#rest !== undefined) return this.#refuse(HEADER_TOO_SLOW);
    if (queue === timers.clientBody) return this.#transaction?.giveUp("body_timeout");
    this.destroy();
  }

  #read(chunk: Buffer): void {
    switch (this.#state) {
      case READING:
        if (this.#rest === undefined) return this.#parse(chunk, false);
        return this.#parse(Buffer.concat([this.#rest, chunk]), true);
      case ANSWERING:
        return this.#readBehind(chunk);
      case TUNNEL:
        return this.#tunnel!.fromClient(chunk);
    }
  }

  /** More of the body, or the next requests, which wait. */
  #readBehind(chunk: Buffer): void {
    const transaction = this.#transaction!;
    let at = 0;
    if (!transaction.body.complete) {
      this.#awaitBody();
      at = transaction.body.read(chunk, 0);
      if (this.#transaction !== transaction) return;
      if (transaction.body.complete) this.#requestIsWhole();
    }
    if (at === chunk.length) return;
    const rest = chunk.subarray(at);
    this.#rest = this.#rest === undefined ? Buffer.from(rest) : Buffer.concat([this.#rest, rest]);
    if (this.#rest.length > this.#engine.plane.config.limits.header) this.socket.pause();
  }

  /** @param kept the bytes are ours; else they are only good during the call */
  #parse(bytes: Buffer, kept: boolean): void {
    const { plane } = this.#engine;
    const start = this.#scanned === 0 ? skipEmptyLines(bytes) : 0;
    if (start === bytes.length) return this.#wait(undefined);
    const end = findHeadEnd(bytes, start, start + this.#scanned, bytes.length);
    if (end === MALFORMED) return this.#refuse(UNREADABLE);
    if ((end === INCOMPLETE ? bytes.length : end) - start > plane.config.limits.header) {
      return this.#refuse(HEADER_TOO_LARGE);
    }
    if (end === INCOMPLETE) return this.#wait(own(bytes, start, kept));
    this.#scanned = 0;
    this.#rest = undefined;
    const head = this.#engine.requestHead;
    const fault = head.readRequest(bytes, start, end, plane.config.limits.headers);
    if (fault === undefined) this.#begin(head, bytes, end, kept);
    else this.#refuse(problemOf(fault, plane.config.limits));
  }

  /** The head is not whole yet. */
  #wait(rest: Buffer | undefined): void {
    if (this.#halfClosed) return this.#end();
    if (rest !== undefined && this.#rest === undefined && !this.#fresh) {
      this.#engine.timers.clientHeader.add(this, this.#engine.plane.now());
    }
    this.#rest = rest;
    this.#scanned = rest === undefined ? 0 : rest.length - 1;
  }

  #begin(head: Head, bytes: Buffer, at: number, kept: boolean): void {
    const engine = this.#engine;
    const admitted = admitHead(head, engine.plane.config.limits, this.#knownHost);
    if (isRefusal(admitted)) return this.#refuse(admitted, new WireFacts(head, head.target, this.#peer));
    this.#knownHost = admitted.host;
    this.#fresh = false;
    stopWaiting(this);
    const exchange = engine.plane.begin(new WireFacts(head, admitted.path, this.#peer));
    const traits = readTraits(head, admitted, exchange.id, this.#heads);
    const transaction = new Transaction(engine, this, exchange, traits);
    this.#state = ANSWERING;
    this.#transaction = transaction;
    const end = transaction.body.complete ? at : transaction.body.read(bytes, at);
    if (this.#transaction !== transaction) return;
    this.#rest = end < bytes.length ? own(bytes, end, kept) : undefined;
    if (transaction.body.complete) this.#requestIsWhole();
    else if (this.#halfClosed) return this.destroy();
    else this.#awaitBody();
    transaction.attempt();
  }

  #requestIsWhole(): void {
    this.#reads.small();
    this.#stopAwaitingBody();
    this.#wholeIn = this.#engine.plane.now();
  }

  /** Who does not read its answer is waited for until it does, whatever it sends. */
  #awaitBody(): void {
    const { timers, plane } = this.#engine;
    if (this.queue !== timers.streamIdle) timers.clientBody.add(this, plane.now());
  }

  #stopAwaitingBody(): void {
    if (this.queue !== this.#engine.timers.streamIdle) stopWaiting(this);
  }

  #awaitReader(): void {
    this.#engine.timers.streamIdle.add(this, this.#engine.plane.now());
  }

  /** Reads what the client sends, unless enough of it waits, or somebody has to take something first. */
  #readOn(): void {
    const { socket } = this;
    if (!socket.isPaused() || (this.#rest?.length ?? 0) > this.#engine.plane.config.limits.header) return;
    if (this.#state === READING ? socket.writableNeedDrain : this.#transaction?.writable === false) return;
    socket.resume();
  }

  #refuse(problem: Problem, facts: RequestFacts = this.#unread()): void {
    const { plane } = this.#engine;
    const id = plane.idOf(facts);
    const fields = [...(problem.fields ?? []), idField(id)];
    const bytes = this.writeProblem({ ...problem, fields }, id, true, facts.method === "HEAD");
    plane.refused(facts, { id, status: problem.status, bytes });
    this.#end();
  }

  /** The facts of a request whose head could not be read. */
  #unread(): RequestFacts {
    return { method: "OTHER", path: "", peer: this.#peer, header: () => undefined };
  }

  /** The client has closed its sending half. */
  #ended(): void {
    this.#halfClosed = true;
    if (this.#state === TUNNEL) this.#tunnel!.clientEnded();
    else if (this.#state === READING) this.#end();
    // Closed together with its request, it still listens; later than that, it has gone away.
    else if (this.#state === ANSWERING && !this.#endedWithRequest()) this.destroy();
    else if (this.#state === LINGERING) this.socket.destroySoon();
  }

  #endedWithRequest(): boolean {
    return this.#transaction!.body.complete && this.#engine.plane.now() - this.#wholeIn <= TOGETHER;
  }

  #drained(): void {
    if (this.#state === LINGERING) return;
    if (this.#state === TUNNEL) return this.#tunnel!.clientDrained();
    stopWaiting(this);
    if (this.#state === READING) return this.#next();
    const transaction = this.#transaction;
    if (transaction?.body.complete === false && !this.socket.isPaused()) this.#awaitBody();
    transaction?.resumeAnswer();
  }

  #next(): void {
    const { timers, plane } = this.#engine;
    if (this.#rest === undefined) {
      timers.keepalive.add(this, plane.now());
      this.#readOn();
      return;
    }
    timers.clientHeader.add(this, plane.now());
    process.nextTick(this.#parseRest); // not at once: forty pipelined requests would stand on one another's stack
  }

  /** The next pipelined request. What is still to be read comes behind it, so reading goes on only afterwards. */
  readonly #parseRest = (): void => {
    const rest = this.#rest;
    if (this.#state !== READING || rest === undefined) return;
    this.#rest = undefined;
    this.#parse(rest, true);
    this.#readOn();
  };

  /** Closes our half, and the other one when the client does so or, once it has read all, has had its time. */
  #end(): void {
    if (this.#state === CLOSED || this.#state === LINGERING) return;
    this.#state = LINGERING;
    this.#rest = undefined;
    this.#awaitReader();
    this.socket.end(() => {
      if (this.#state === LINGERING) this.#engine.timers.linger.add(this, this.#engine.plane.now());
    });
    this.socket.resume();
    if (this.#halfClosed) this.socket.destroySoon();
  }

  #close(): void {
    this.#state = CLOSED;
    this.#transaction = undefined;
    this.#rest = undefined;
    stopWaiting(this);
    this.#engine.closed(this);
  }
}

function own(bytes: Buffer, from: number, kept: boolean): Buffer {
  const rest = bytes.subarray(from);
  return kept ? rest : Buffer.from(rest);
}

/**
 * Empty lines may stand before a request (RFC 9112 section 2.2). Any number of them: to count them over several reads
 * would need a state, and they bring no time-out further off.
 */
function skipEmptyLines(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === 13 && bytes[at + 1] === 10) at += 2;
  return at;
}
