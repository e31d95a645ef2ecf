import { GATE_ENDINGS, type Gate, type GateEnding, type Pause } from "../core/gate.ts";
import type { RequestFacts } from "../core/request-facts.ts";
import type { DataPlane } from "./data-plane.ts";
import type { Problem } from "./engines/problem.ts";
import { maintenanceProblem, pauseProblem } from "./gate-problems.ts";

/** Held requests that go on in one turn of the event loop, or an eighth of them where there are many. */
const BATCH = 64;

/** The engine's part of a request at a closed gate. It is told once how its wait ends, never while it calls `enter`. */
export interface Visitor {
  /** Begin the exchange now: it is assigned by the newest snapshot. */
  onAdmitted(): void;
  /** Answer with this, and book it with `plane.refused(facts, { …, duration: waited })`. `waited` is in milliseconds. */
  onRefused(problem: Problem, waited: number): void;
}

/** One request's place at the gate. */
export class Ticket {
  readonly facts: RequestFacts;
  readonly visitor: Visitor;
  /** On the plane's clock. */
  readonly since: number;
  /** Links of the gate's list of those who wait; owned by {@link ClosedGate}. */
  earlier: Ticket | undefined;
  later: Ticket | undefined;
  waiting = true;
  readonly #gate: ClosedGate;

  constructor(gate: ClosedGate, facts: RequestFacts, visitor: Visitor, since: number) {
    this.#gate = gate;
    this.facts = facts;
    this.visitor = visitor;
    this.since = since;
  }

  /** The client has gone away, and blames nobody. Books it; does nothing once the wait has ended. */
  leave(): void {
    this.#gate.left(this);
  }
}

/**
 * Where new requests wait while the router is paused, first come, first served, and are turned away during maintenance.
 * It is only asked while it is closed, or while it lets those go that it has held: `plane.gate` is undefined otherwise.
 */
export class ClosedGate {
  readonly #plane: DataPlane;
  readonly #counts = new Float64Array(GATE_ENDINGS.length);
  #state: Gate | undefined;
  #oldest: Ticket | undefined;
  #newest: Ticket | undefined;
  #held = 0;
  #stopping = false;
  #releasing: NodeJS.Immediate | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #opening: NodeJS.Timeout | undefined;

  constructor(plane: DataPlane) {
    this.#plane = plane;
  }

  /** Requests that wait now. */
  get held(): number {
    return this.#held;
  }

  /** How many stays ended how, since the start. */
  get counts(): Record<string, number> {
    const counted = GATE_ENDINGS.map((ending, i) => [ending, this.#counts[i]!] as const);
    return Object.fromEntries(counted.filter(([, count]) => count > 0));
  }

  /** Closes, or opens again and lets go in order. A pause that is over by the clock counts as none. */
  set(state: Gate | undefined): void {
    clearTimeout(this.#opening);
    const over = state?.kind === "pause" && state.until <= Date.now();
    this.#state = over ? undefined : state;
    if (this.#state?.kind === "pause") this.#openAt(this.#state);
    if (this.#state?.kind === "maintenance") this.#refuseAll("maintenance");
    if (this.#state !== undefined || this.#held > 0) this.#plane.gate = this;
    if (this.#state === undefined) this.#release();
    else this.#watch();
  }

  /**
   * Asks for a place. Undefined: the request goes on at once, because an override names its color. Otherwise the visitor
   * hears how the wait ends, in a later turn.
   */
  enter(facts: RequestFacts, visitor: Visitor): Ticket | undefined {
    if (this.#plane.forcedColor(facts) !== undefined) {
      this.#count("overridden");
      return undefined;
    }
    const ticket = new Ticket(this, facts, visitor, this.#plane.now());
    const refusal = this.#refusal();
    if (refusal === undefined) this.#add(ticket);
    else process.nextTick(() => this.#refuse(ticket, refusal));
    return ticket;
  }

  /** The engine is about to end: nobody who waits here would be answered later. */
  stop(): void {
    this.#stopping = true;
    this.#refuseAll("stopping");
  }

  /** For {@link Ticket} only. */
  left(ticket: Ticket): void {
    if (!ticket.waiting) return;
    this.#remove(ticket);
    this.#count("aborted");
    const { facts, since } = ticket;
    const duration = this.#plane.now() - since;
    const id = this.#plane.idOf(facts);
    this.#plane.refused(facts, { id, status: 499, bytes: 0, duration, outcome: "client_abort" });
  }

  #refusal(): GateEnding | undefined {
    if (this.#state?.kind === "maintenance") return "maintenance";
    if (this.#stopping) return "stopping";
    return this.#state !== undefined && this.#held >= this.#state.max ? "full" : undefined;
  }

  #openAt({ until }: Pause): void {
    const after = Math.min(until - Date.now(), 2 ** 31 - 1);
    this.#opening = setTimeout(() => this.set(this.#state), after).unref();
  }

  /** The first to come is the first whose time is up, since all wait equally long. */
  #watch(): void {
    clearTimeout(this.#expiry);
    const state = this.#state;
    if (state?.kind !== "pause" || this.#oldest === undefined) return;
    const left = this.#oldest.since + state.timeout - this.#plane.now();
    this.#expiry = setTimeout(() => this.#expire(state.timeout), Math.max(0, left)).unref();
  }

  #expire(timeout: number): void {
    const due = this.#plane.now() - timeout;
    while (this.#oldest !== undefined && this.#oldest.since <= due) this.#refuse(this.#oldest, "timeout");
    this.#watch();
  }

  readonly #release = (): void => {
    clearImmediate(this.#releasing);
    if (this.#state !== undefined) return;
    for (let left = Math.max(BATCH, this.#held / 8); left > 0 && this.#oldest !== undefined; left--) {
      const ticket = this.#oldest;
      this.#remove(ticket);
      this.#count("resumed");
      ticket.visitor.onAdmitted();
    }
    if (this.#held === 0) this.#plane.gate = undefined;
    else this.#releasing = setImmediate(this.#release);
  };

  #refuseAll(ending: GateEnding): void {
    while (this.#oldest !== undefined) this.#refuse(this.#oldest, ending);
  }

  #refuse(ticket: Ticket, ending: GateEnding): void {
    if (!ticket.waiting) return;
    this.#remove(ticket);
    this.#count(ending);
    ticket.visitor.onRefused(this.#problem(ending, ticket.facts), this.#plane.now() - ticket.since);
  }

  #problem(ending: GateEnding, facts: RequestFacts): Problem {
    if (this.#state?.kind === "maintenance") return maintenanceProblem(this.#state, facts);
    return pauseProblem(ending, this.#state?.timeout ?? 0);
  }

  #count(ending: GateEnding): void {
    this.#counts[GATE_ENDINGS.indexOf(ending)]! += 1;
  }

  #add(ticket: Ticket): void {
    ticket.earlier = this.#newest;
    if (this.#newest) this.#newest.later = ticket;
    else this.#oldest = ticket;
    this.#newest = ticket;
    this.#held++;
    if (this.#held === 1) this.#watch();
  }

  /** Also of one that was turned away at once and is in no list. */
  #remove(ticket: Ticket): void {
    ticket.waiting = false;
    if (ticket !== this.#oldest && ticket.earlier === undefined) return;
    if (ticket.earlier) ticket.earlier.later = ticket.later;
    else this.#oldest = ticket.later;
    if (ticket.later) ticket.later.earlier = ticket.earlier;
    else this.#newest = ticket.earlier;
    ticket.earlier = undefined;
    ticket.later = undefined;
    this.#held--;
  }
}
