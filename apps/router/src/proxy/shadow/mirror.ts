import { randomUUID } from "node:crypto";
import type { ShadowConfig } from "../../config/config.ts";
import type { Reading } from "../../core/predictions/read.ts";
import { measureOf } from "../../core/shadow/measure.ts";
import { type CopyOutcome, type PairRun, type ShadowView, UNSENT_COPIES } from "../../core/shadow/view.ts";
import type { Target } from "../../targets/target.ts";
import { Allowance } from "../answers/allowance.ts";
import type { AnswerTap } from "../answers/answer-tap.ts";
import { Bunch } from "../answers/bunch.ts";
import { Gathered } from "../answers/gathered.ts";
import { costOf, LEAST_COST, READ_PER_SECOND } from "../answers/reading-cost.ts";
import type { DataPlane } from "../data-plane.ts";
import type { Exchange } from "../exchange.ts";
import type { LiveColor } from "../live-color.ts";
import type { SentRequest } from "../tap.ts";
import { CopyConnections } from "./copy-connections.ts";
import { type Echo, Flight } from "./flight.ts";
import { type Copy, Pairing } from "./pairing.ts";

/** With so many, sending begins, and goes on until none waits; */
const BUNCH = 25;
/** and so many are sent before sockets have their turn again. */
const AT_ONCE = 8;

const UNSENT: ReadonlySet<CopyOutcome> = new Set(UNSENT_COPIES);

/**
 * Copies requests to a shadow once their clients have been answered. It has connections, limits and time-outs of its own, and
 * touches nothing of the main path: no place in flight, no health, no evidence. What is too much is dropped and counted.
 */
export class Mirror {
  readonly #plane: DataPlane;
  readonly #run: string;
  readonly #outcomes = new Map<string, Map<CopyOutcome, number>>();
  readonly #flights = new Set<Flight>();
  #limits!: ShadowConfig;
  #rate!: Allowance;
  /** Of what is read of the answers to copied requests, main ones and shadows'. */
  #reading!: Allowance;
  /** How answers are compared by the configuration that this process has. */
  #measure = "";
  #connections: CopyConnections | undefined;
  #view: ShadowView | undefined;
  #color: LiveColor | undefined;
  #against: LiveColor | undefined;
  #pairing: Pairing | undefined;
  #queue: Copy[] = [];
  /** Of bodies that wait or are on their way. */
  bytes = 0;
  #turn = 0;
  readonly #bunch = new Bunch(() => this.#pump());
  /** Some of a bunch are sent, and others not yet. */
  #begun = false;

  constructor(plane: DataPlane) {
    this.#plane = plane;
    this.#run = randomUUID();
  }

  get active(): boolean {
    return this.#view !== undefined;
  }

  /** Copies that wait or are on their way. */
  get pending(): number {
    return this.#queue.length + this.#flights.size;
  }

  /** Bytes of the answers that are on their way back. */
  get received(): number {
    return [...this.#flights].reduce((sum, { received }) => sum + received, 0);
  }

  configure(limits: ShadowConfig): void {
    this.#limits = limits;
    this.#rate = new Allowance(limits.rate);
    this.#reading = new Allowance(Math.max(READ_PER_SECOND, 2 * LEAST_COST * limits.rate));
    this.#measure = measureOf(this.#plane.config.predictions, limits);
    this.#pairing?.configure(limits);
  }

  /** Another id begins anew; what the one before has under way is given up. */
  serve(view: ShadowView | undefined): void {
    if (view?.id !== this.#view?.id) this.#stop();
    this.#view = view;
    if (view === undefined) return;
    const named = (name: string) => this.#plane.colors.find((color) => color.name === name);
    this.#color = named(view.color);
    this.#against = named(view.against);
    this.#pairing ??= new Pairing(this.#plane, this.#limits);
    this.#connections ??= new CopyConnections(this.#plane.dialer);
  }

  #stop(): void {
    const waiting = this.#queue;
    this.#queue = [];
    this.#begun = false;
    this.#bunch.clear();
    for (const copy of waiting) this.#lost(copy, "aborted");
    for (const flight of [...this.#flights]) flight.abort();
    this.#pairing = undefined;
    this.#connections?.destroy();
    this.#connections = undefined;
    this.#color = undefined;
  }

  /** Whether a request that has just got its color is to be copied. @param now milliseconds on the plane's clock */
  wants({ assigned, overridden, facts }: Exchange, now: number): boolean {
    const color = this.#color;
    if (color === undefined || color.share > 0 || overridden || assigned !== this.#against) return false;
    if (!this.#plane.isRepeatable(facts.method, facts.path)) return false;
    const { percent } = this.#view!;
    if (percent < 100 && this.#plane.random() * 100 >= percent) return false;
    const refused = !this.#rate.has(now) ? "rate" : !this.#reading.has(now) ? "busy" : undefined;
    if (refused === undefined) this.#rate.take(1);
    else this.#count(color.name, refused);
    return refused === undefined;
  }

  /** An answer to a request that is copied has been read, or the shadow's. @param size its bytes, decoded */
  charge(size: number): void {
    this.#reading.take(costOf(size));
  }

  /** Takes a copy, and wants to be told what the main answer predicted; undefined where none is sent. */
  copy(tap: AnswerTap, request: SentRequest): ((reading: Reading | undefined) => void) | undefined {
    const { exchange, status } = tap;
    const [color, pairing] = [this.#color, this.#pairing];
    const isOurs = color !== undefined && pairing !== undefined && exchange.color === this.#against;
    if (!isOurs || status >= 500 || status === 429) return undefined;
    const size = request.body?.reduce((sum, { length }) => sum + length, 0) ?? 0;
    const refused = this.#refusal(request, size);
    if (refused !== undefined) {
      this.#count(color.name, refused);
      return undefined;
    }
    const body = new Gathered();
    for (const piece of request.body!) body.add(piece);
    body.trim();
    this.bytes += size;
    const { fields } = request;
    const { path } = exchange.facts;
    const main = Promise.withResolvers<Reading | undefined>();
    const measure = this.#measure;
    this.#queue.push({ id: exchange.id, path, fields, body, main: main.promise, color, pairing, measure });
    this.#pumpSoon();
    return main.resolve;
  }

  #refusal({ body }: SentRequest, size: number): CopyOutcome | undefined {
    if (body === undefined) return "no_body";
    if (this.#queue.length >= this.#limits.queue) return "queue";
    return this.bytes + size > this.#limits.memory ? "memory" : undefined;
  }

  #pumpSoon(): void {
    const { length } = this.#queue;
    const { concurrency, queue, memory } = this.#limits;
    const full = this.#begun || length >= Math.min(BUNCH, queue) || 2 * this.bytes >= memory;
    if (length > 0 && this.#flights.size < concurrency) this.#bunch.add(full);
  }

  #pump(): void {
    const free = this.#limits.concurrency - this.#flights.size;
    for (const copy of this.#queue.splice(0, Math.min(AT_ONCE, Math.max(0, free)))) this.#send(copy);
    this.#begun = this.#queue.length > 0;
    this.#pumpSoon();
  }

  #send(copy: Copy): void {
    const target = this.#pick(copy.color);
    if (target === undefined) return this.#lost(copy, "no_target");
    if (target.protocol === "h2c") return this.#lost(copy, "unsupported");
    const letter = { path: copy.path, fields: copy.fields(), body: copy.body };
    const flight: Flight = new Flight(this.#connections!, target, letter, this.#limits, (echo) => {
      this.#flights.delete(flight);
      this.#landed(copy, echo);
    });
    this.#flights.add(flight);
  }

  /** One after another of those that take traffic. */
  #pick({ targets }: LiveColor): Target | undefined {
    const up = targets.filter(({ available }) => available);
    return up[this.#turn++ % Math.max(1, up.length)];
  }

  #landed(copy: Copy, echo: Echo): void {
    this.#lost(copy, echo.outcome);
    this.#pumpSoon();
    if (UNSENT.has(echo.outcome) || !this.counts(copy)) return;
    setImmediate(() => void copy.pairing.add(copy, echo));
  }

  /** It is over, and its bytes are free. */
  #lost({ body, color }: Copy, outcome: CopyOutcome): void {
    this.bytes -= body.length;
    this.#count(color.name, outcome);
  }

  #count(color: string, outcome: CopyOutcome): void {
    let counts = this.#outcomes.get(color);
    if (counts === undefined) {
      counts = new Map();
      this.#outcomes.set(color, counts);
    }
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }

  /** Copies of this color by how they ended, since this process began; undefined where there were none. */
  outcomes(color: string): Record<string, number> | undefined {
    const counts = this.#outcomes.get(color);
    return counts && Object.fromEntries(counts);
  }

  /** Whether both answers of a copy are read, and compared, as is asked for by the shadow that runs. */
  counts({ pairing, measure }: Copy): boolean {
    return pairing === this.#pairing && measure === this.#measure && measure === this.#view?.measure;
  }

  report(): PairRun | undefined {
    if (this.#view === undefined || this.#pairing === undefined) return undefined;
    return { id: this.#view.id, run: this.#run, pairs: this.#pairing.report() };
  }
}
