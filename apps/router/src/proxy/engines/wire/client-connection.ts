import type { Socket } from "node:net";
import type { RequestFacts } from "../../../core/request-facts.ts";
import { isRefusal } from "../../../core/request-line.ts";
import type { ClosedGate, Visitor } from "../../gate.ts";
import { reset } from "../../tls/reset.ts";
import { beginsHttp2 } from "../h2/preface.ts";
import { type Problem, refusalFields } from "../problem.ts";
import { admitHead } from "./admit-head.ts";
import { ClientSocket } from "./client-socket.ts";
import type { Engine } from "./engine-parts.ts";
import { type Head, INCOMPLETE, MALFORMED } from "./head.ts";
import { HeadInput, TOO_LARGE } from "./head-input.ts";
import { HeldRequest } from "./held-request.ts";
import { HEADER_TOO_LARGE, HEADER_TOO_SLOW, problemOf, UNREADABLE } from "./problems.ts";
import { readPlainly } from "./reads.ts";
import { RequestHeads } from "./request-head.ts";
import { stopWaiting, type TimerQueue } from "./timers.ts";
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
/** The next request waits at the closed gate. */
const HELD = 5;

/** One client connection: reads one request after another, and has each answered before it reads the next. */
export class ClientConnection extends ClientSocket implements Visitor {
  readonly #heads: RequestHeads;
  #state = READING;
  #transaction: Transaction | undefined;
  readonly #input = new HeadInput();
  #knownHost: string | undefined;
  #tunnel: Tunnel | undefined;
  #held: HeldRequest | undefined;
  /** When the last request came in whole, on the plane's clock. */
  #wholeIn = 0;
  #halfClosed = false;

  /** @param accepted by a server with `pauseOnConnect` */
  constructor(engine: Engine, accepted: Socket) {
    super(engine, accepted);
    const { plane } = engine;
    const { socket, peer } = this;
    const drop = plane.config.override?.header;
    this.#heads = new RequestHeads({ peer, trusted: plane.isTrusted(peer), scheme: plane.scheme, drop });
    this.awaitHeader();
    socket.on("drain", () => this.#drained());
    socket.on("end", () => this.#ended());
    socket.on("error", () => this.destroy());
    socket.on("close", () => this.destroy());
    socket.resume();
  }

  get idle(): boolean {
    return this.#state === READING && this.#input.rest === undefined;
  }

  /** The request's target takes no more for now. */
  pauseBody(): void {
    this.stopAwaitingBody();
    this.socket.pause();
  }

  resumeBody(): void {
    if (this.#transaction?.body.complete === false) this.awaitBody();
    this.#readOn();
  }

  /** The answer has been written, and so the next request is read; or the connection is closed. */
  answered(close: boolean): void {
    if (this.#state === CLOSED) return;
    this.#transaction = undefined;
    this.#tunnel = undefined;
    if (close || (this.#halfClosed && this.#input.rest === undefined)) return this.#end();
    this.#state = READING;
    if (!this.socket.writableNeedDrain) return this.#next();
    // A client that does not read gets no further answers.
    this.socket.pause();
    this.awaitReader();
  }

  /** The answer broke off. A body that lasts until the connection's end needs a reset to tell. */
  cut(untilClose: boolean): void {
    if (this.#state === CLOSED) return;
    this.#transaction = undefined;
    if (!untilClose) return this.#end();
    this.#close();
    reset(this.socket);
  }

  /** From now on bytes go both ways. */
  tunnel(tunnel: Tunnel): void {
    this.#state = TUNNEL;
    this.#tunnel = tunnel;
    stopWaiting(this);
    if (this.#input.rest) tunnel.fromClient(this.#input.take(undefined));
    if (this.#halfClosed) tunnel.clientEnded();
    else if (!tunnel.stuck) this.#readOn();
  }

  destroy(): void {
    if (this.#state === CLOSED) return;
    const [transaction, held] = [this.#transaction, this.#held];
    this.#close();
    this.socket.destroy();
    transaction?.giveUp("client_abort");
    held?.ticket.leave();
  }

  /** Ends the connection if nothing has been going on since then; else after the answer, since the engine drains. */
  endIfIdle(since: number): void {
    const { keepalive } = this.engine.timers;
    if (!this.idle || this.socket.isPaused()) return;
    if (this.queue !== keepalive || this.deadline - keepalive.milliseconds <= since) this.#end();
  }

  onTimeout(queue: TimerQueue): void {
    const { timers } = this.engine;
    if (queue === timers.clientHeader && this.#input.rest !== undefined) return this.#refuse(HEADER_TOO_SLOW);
    if (queue === timers.clientBody) return this.#transaction?.giveUp("body_timeout");
    this.destroy();
  }

  protected read(chunk: Buffer): void {
    switch (this.#state) {
      case READING:
        return this.#parse(this.#input.take(chunk));
      case ANSWERING:
        return this.#readBehind(chunk);
      case TUNNEL:
        return this.#tunnel!.fromClient(chunk);
      case HELD:
        this.#input.add(chunk);
        return this.#throttle();
    }
  }

  /** More of the body, or the next requests, which wait. */
  #readBehind(chunk: Buffer): void {
    const transaction = this.#transaction!;
    let at = 0;
    if (!transaction.body.complete) {
      this.awaitBody();
      at = transaction.body.read(chunk, 0);
      if (this.#transaction !== transaction) return;
      if (transaction.body.complete) this.#requestIsWhole();
    }
    if (at === chunk.length) return;
    this.#input.add(chunk.subarray(at));
    this.#throttle();
  }

  /** What waits is bounded. A held request's own header may be as large again. */
  #throttle(): void {
    const { header } = this.engine.plane.config.limits;
    if (this.#input.rest!.length > (this.#state === HELD ? 2 * header : header)) this.socket.pause();
  }

  #parse(bytes: Buffer): void {
    const { limits } = this.engine.plane.config;
    const start = this.#input.begun ? 0 : skipEmptyLines(bytes);
    const end = start === bytes.length ? INCOMPLETE : this.#input.find(bytes, start, limits.header);
    if (end === INCOMPLETE) return this.#wait();
    if (end === MALFORMED) return this.#refuse(UNREADABLE);
    if (end === TOO_LARGE) return this.#refuse(HEADER_TOO_LARGE);
    const head = this.engine.requestHead;
    const fault = head.readRequest(bytes, start, end, limits.headers);
    if (fault === "version" && this.#knownHost === undefined && beginsHttp2(bytes, start))
      return this.#speakHttp2(bytes.subarray(start));
    if (fault === undefined) this.#begin(head, bytes, start, end);
    else this.#refuse(problemOf(fault, limits));
  }

  /** The first bytes are those of HTTP/2 (RFC 9113 section 3.3). */
  #speakHttp2(bytes: Buffer): void {
    const first = Buffer.from(bytes);
    this.#close();
    this.engine.http2.accept(readPlainly(this.socket), { first });
  }

  /** The head is not whole yet. */
  #wait(): void {
    if (this.#halfClosed) return this.#end();
    const { keepalive } = this.engine.timers;
    if (this.#input.rest !== undefined && this.queue === keepalive) this.awaitHeader();
  }

  #begin(head: Head, bytes: Buffer, start: number, at: number): void {
    const engine = this.engine;
    const admitted = admitHead(head, engine.plane.config.limits, this.#knownHost);
    if (isRefusal(admitted)) return this.#refuse(admitted, new WireFacts(head, head.target, this.peer));
    this.#knownHost = admitted.host;
    stopWaiting(this);
    const facts = new WireFacts(head, admitted.path, this.peer);
    const { gate } = engine.plane;
    if (gate !== undefined && this.#hold(gate, head, facts, bytes, start, at)) return;
    const exchange = engine.plane.begin(facts);
    const traits = readTraits(head, admitted, exchange, this.#heads);
    const transaction = new Transaction(engine, this, exchange, traits);
    this.#state = ANSWERING;
    this.#transaction = transaction;
    const end = transaction.body.complete ? at : transaction.body.read(bytes, at);
    if (this.#transaction !== transaction) return;
    this.#input.keep(bytes, end);
    if (transaction.body.complete) this.#requestIsWhole();
    else if (this.#halfClosed) return this.destroy();
    else this.awaitBody();
    transaction.attempt();
  }

  /** Has the request wait. It stays where it was read, and is read anew once it may begin. */
  #hold(gate: ClosedGate, head: Head, facts: WireFacts, bytes: Buffer, start: number, at: number): boolean {
    const held = this.#held;
    this.#held = undefined;
    if (held?.admitted) return false;
    const ticket = gate.enter(facts, this);
    if (ticket === undefined) return false;
    this.#held = new HeldRequest(ticket, head, at - start);
    this.#state = HELD;
    this.#wholeIn = this.engine.plane.now();
    this.#input.keep(bytes, start);
    return true;
  }

  onAdmitted(): void {
    this.#held!.admitted = true;
    this.#state = READING;
    this.#parse(this.#input.take(undefined));
    this.#held = undefined;
    this.#readOn();
  }

  onRefused(problem: Problem, waited: number): void {
    const { ticket, headBytes, keepsOn } = this.#held!;
    const { plane } = this.engine;
    const { facts } = ticket;
    this.#held = undefined;
    const id = plane.idOf(facts);
    const fields = [...(problem.fields ?? []), ...refusalFields(plane, id)];
    const close = !keepsOn || this.engine.draining;
    const bytes = this.writeProblem({ ...problem, fields }, id, close, facts.method === "HEAD");
    plane.refused(facts, { id, status: problem.status, bytes, duration: waited });
    this.#input.keep(this.#input.take(undefined), headBytes);
    this.answered(close);
  }

  #requestIsWhole(): void {
    this.reads.small();
    this.stopAwaitingBody();
    this.#wholeIn = this.engine.plane.now();
  }

  /** Reads what the client sends, unless enough of it waits, or somebody has to take something first. */
  #readOn(): void {
    const { socket } = this;
    if (!socket.isPaused() || (this.#input.rest?.length ?? 0) > this.engine.plane.config.limits.header)
      return;
    if (this.#state === READING ? socket.writableNeedDrain : this.#transaction?.writable === false) return;
    socket.resume();
  }

  #refuse(problem: Problem, facts: RequestFacts = this.#unread()): void {
    const { plane } = this.engine;
    const id = plane.idOf(facts);
    const fields = [...(problem.fields ?? []), ...refusalFields(plane, id)];
    const bytes = this.writeProblem({ ...problem, fields }, id, true, facts.method === "HEAD");
    plane.refused(facts, { id, status: problem.status, bytes });
    this.#end();
  }

  /** The facts of a request whose head could not be read. */
  #unread(): RequestFacts {
    return { method: "OTHER", path: "", peer: this.peer, header: () => undefined };
  }

  /** The client has closed its sending half. */
  #ended(): void {
    this.#halfClosed = true;
    if (this.#state === TUNNEL) this.#tunnel!.clientEnded();
    else if (this.#state === READING) this.#end();
    else if (this.#state === HELD && this.engine.plane.now() - this.#wholeIn > TOGETHER) this.destroy();
    // Closed together with its request, it still listens; later than that, it has gone away.
    else if (this.#state === ANSWERING && !this.#endedWithRequest()) this.destroy();
    else if (this.#state === LINGERING) this.socket.destroySoon();
  }

  #endedWithRequest(): boolean {
    return this.#transaction!.body.complete && this.engine.plane.now() - this.#wholeIn <= TOGETHER;
  }

  #drained(): void {
    if (this.#state === LINGERING) return;
    if (this.#state === TUNNEL) return this.#tunnel!.clientDrained();
    stopWaiting(this);
    if (this.#state === READING) return this.#next();
    const transaction = this.#transaction;
    if (transaction?.body.complete === false && !this.socket.isPaused()) this.awaitBody();
    transaction?.resumeAnswer();
  }

  #next(): void {
    const { timers, plane } = this.engine;
    if (this.#input.rest === undefined) {
      timers.keepalive.add(this, plane.now());
      this.#readOn();
      return;
    }
    this.awaitHeader();
    process.nextTick(this.#parseRest); // not at once: forty pipelined requests would stand on one another's stack
  }

  /** The next pipelined request. What is still to be read comes behind it, so reading goes on only afterwards. */
  readonly #parseRest = (): void => {
    if (this.#state !== READING || this.#input.rest === undefined) return;
    this.#parse(this.#input.take(undefined));
    this.#readOn();
  };

  /** Closes our half, and the other one when the client does so or, once it has read all, has had its time. */
  #end(): void {
    if (this.#state === CLOSED || this.#state === LINGERING) return;
    this.#state = LINGERING;
    this.#input.clear();
    this.awaitReader();
    this.socket.end(() => {
      if (this.#state === LINGERING) this.engine.timers.linger.add(this, this.engine.plane.now());
    });
    this.socket.resume();
    if (this.#halfClosed) this.socket.destroySoon();
  }

  #close(): void {
    this.#state = CLOSED;
    this.#transaction = undefined;
    this.#held = undefined;
    this.#input.clear();
    stopWaiting(this);
    this.engine.closed(this);
  }
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
