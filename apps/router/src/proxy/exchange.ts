import { userHash } from "../core/affinity.ts";
import { chooseColor } from "../core/choose-color.ts";
import type { Field } from "../core/forwarding.ts";
import { type Outcome, outcomeRow } from "../core/outcome.ts";
import type { RequestFacts } from "../core/request-facts.ts";
import { readTraceContext } from "../core/trace-context.ts";
import type { Lease, Target, Waiter } from "../targets/target.ts";
import type { DataPlane } from "./data-plane.ts";
import type { LiveColor } from "./live-color.ts";
import type { Charging } from "./rollout/charging.ts";
import type { Tap } from "./tap.ts";
import { TargetChoice } from "./target-choice.ts";
import type { Trace } from "./tracing/trace.ts";
import type { LongAnswer } from "./tunnels.ts";

/** Safe methods, and POST where its path is declared: a PUT or DELETE may be repeated, but not at the same time. */
const HEDGED: ReadonlySet<string> = new Set(["GET", "HEAD", "POST"]);

const NO_FIELDS: readonly Field[] = [];

/** The engine's part of an exchange. */
export interface Holder {
  /** The target fell silent: end the wait for this attempt, and leave it open until its first byte or its end. */
  onStalled(): void;
}

/**
 * One client request on its way: assigned to a color once, then attempted at targets until it is answered.
 *
 * An engine calls {@link claim}, then for each attempt {@link attemptFields}, {@link firstByte}, {@link settle} and
 * {@link retries}, and once at the end {@link finish}. All are synchronous; no engine needs a promise for a request.
 */
export class Exchange implements Waiter {
  readonly facts: RequestFacts;
  /** `X-Request-Id`: the client's if it is well formed, else a new one. */
  readonly id: string;
  /** The color by which this request is counted as evidence. */
  readonly assigned: LiveColor;
  /** An override named the color: no failover, and no evidence. */
  readonly overridden: boolean;
  /** Value of a `Set-Cookie` field that gives a new client its affinity key. */
  readonly setCookie: string | undefined;
  /** By what it counts for a rollout; undefined where none runs or this request is no evidence for it. */
  readonly charging: Charging | undefined;
  /** Set to false by the engine once a byte of the body has been dropped from the buffer. */
  bodyKept = true;
  /** The `grpc-status` of the answer to a gRPC call, once the engine has read it. */
  grpcStatus: number | undefined;
  /** Who moves the bytes of the attempt that is under way; undefined when nobody waits for an answer's head. */
  holder: Holder | undefined;
  /** Who looks on; undefined for most requests, and always where nothing wants to. */
  readonly tap: Tap | undefined;
  readonly #trace: Trace | undefined;
  readonly #plane: DataPlane;
  readonly #startedAt: number;
  readonly #choice: TargetChoice;
  readonly #key: string | undefined;
  /** Its evidence is still to come; decided when the color was drawn, whatever snapshot is in force at the end. */
  #evident: boolean;
  /** The first attempt at the assigned color. */
  #first: Lease | undefined;
  /** The newest attempt, while it is not settled. */
  #current: Lease | undefined;
  #answering: LiveColor | undefined;
  /** Another color than these two that a second attempt is at. */
  #hedging: LiveColor | undefined;
  #attempts = 0;
  #repeated = 0;
  #finished = false;
  #lasting: LongAnswer | undefined;
  /** When it began to last. */
  #lastsSince: number | undefined;

  /** @param now milliseconds on the plane's clock. */
  constructor(plane: DataPlane, facts: RequestFacts, now: number) {
    this.#plane = plane;
    this.facts = facts;
    this.#startedAt = now;
    this.id = plane.idOf(facts);
    this.#trace = plane.tracer?.begin(facts, now);
    const forced = plane.forcedColor(facts);
    this.overridden = forced !== undefined;
    const affinity = this.overridden ? undefined : plane.affinity?.(facts);
    const key = affinity?.key;
    this.setCookie = affinity?.setCookie;
    this.assigned = forced ?? this.#draw(key);
    const { share, counters } = this.assigned;
    const random = key === undefined && plane.table.split === "random";
    this.#key = key;
    this.charging = this.overridden ? undefined : plane.chargings[this.assigned.index];
    if (key === undefined) this.charging?.assign();
    this.#evident = !this.overridden && random && share > 0 && share < 1;
    this.#choice = new TargetChoice(plane, this.assigned, key, plane.config.failover && !this.overridden);
    counters.inFlight++;
    if (this.overridden) counters.overridden++;
    else counters.assigned++;
    this.tap = plane.taps?.open(this);
  }

  /** The client's own address, seen through trusted proxies. */
  get client(): string {
    return this.#plane.clientOf(this.facts);
  }

  /** Value of `Strict-Transport-Security` for the answer. */
  get hsts(): string | undefined {
    return this.#plane.hsts;
  }

  /** The color that answers, or that is being tried; the assigned one before any attempt. */
  get color(): LiveColor {
    return this.#answering ?? this.assigned;
  }

  /** The attempt under way is the first one, at the assigned color: what it answers may be evidence. */
  get onFirstAttempt(): boolean {
    return this.#first !== undefined && this.#current === this.#first;
  }

  /** Milliseconds on the plane's clock. */
  now(): number {
    return this.#plane.now();
  }

  get attempts(): number {
    return this.#attempts;
  }

  /**
   * Picks a target and takes a place there, in one go with reading the snapshot. Undefined: no color is left, answer
   * `no_target`.
   */
  claim(): Lease | undefined {
    const picked = this.#choice.next();
    const first = this.#attempts === 0;
    const own = picked?.color === this.assigned.index;
    if (first && !own) this.#evidence("no_target", 0, 0);
    if (!picked) return undefined;
    this.#attempts++;
    this.#moveTo(this.#plane.colors[picked.color]!);
    const lease = picked.claim(this.#plane.now(), this);
    if (first && own) this.#first = lease;
    this.#current = lease;
    this.#plane.watch(picked);
    return lease;
  }

  /** {@link attemptFields} stand for the client's `traceparent` and `tracestate`, which do not go on as they came. */
  get traced(): boolean {
    return this.#trace !== undefined;
  }

  /**
   * The fields that the request carries on this attempt beside the client's own. To be asked when it is sent, also for
   * a second attempt of {@link hedge}. @param httpVersion how it is sent: `1.1` or `2`; default: as the target's URL says
   */
  attemptFields(lease: Lease, httpVersion?: string): readonly Field[] {
    if (this.#trace === undefined) return NO_FIELDS;
    const version = httpVersion ?? (lease.target.protocol === "h2c" ? "2" : "1.1");
    return this.#trace.fields(lease, this.#plane.colors[lease.target.color]!.name, version);
  }

  /**
   * After how many milliseconds without a byte a second attempt may be sent: the color's recent p95. Undefined where
   * `hedge` is not configured, the request may not be repeated, or nothing is known of the color yet.
   */
  hedgeAfter(): number | undefined {
    const { hedgeBudget } = this.#plane;
    if (hedgeBudget === undefined || !HEDGED.has(this.facts.method) || !this.#mayRepeat("sent"))
      return undefined;
    return this.color.latency.p95(this.#plane.now());
  }

  /** Takes a place for a second attempt beside the one that is slow; undefined without a target or a budget for it. */
  hedge(): Lease | undefined {
    const now = this.#plane.now();
    if (!this.#choice.hasFresh() || !this.#plane.hedgeBudget?.spend(now)) return undefined;
    const picked = this.#choice.nextFresh()!;
    const color = this.#plane.colors[picked.color]!;
    color.counters.hedges++;
    this.#attempts++;
    if (color !== this.assigned && color !== this.#answering) {
      this.#hedging = color;
      color.counters.inFlight++;
    }
    const lease = picked.claim(now, this);
    this.#plane.watch(picked);
    return lease;
  }

  /** The second attempt takes the first one's place: it has answered, or the first has failed. */
  hedgeWon(lease: Lease): void {
    const color = this.#plane.colors[lease.target.color]!;
    if (color !== this.#answering) this.#dropForeign();
    this.#answering = color;
    this.#hedging = undefined;
    this.#current = lease;
  }

  /** The second attempt is out of the race. */
  hedgeLost(): void {
    if (this.#hedging !== undefined) this.#drop(this.#hedging);
    this.#hedging = undefined;
  }

  /** An answer's head has begun to arrive at this attempt, also at one that was given up as stalled. */
  firstByte(lease: Lease): void {
    this.#plane.firstByte(lease);
  }

  /** A further part of an answer has arrived: its target is not silent, though others may wait there. */
  heard(lease: Lease): void {
    this.#plane.heard(lease);
  }

  stalled(lease: Lease): void {
    if (lease !== this.#current || this.holder === undefined) return;
    if (this.#mayRepeat("sent") && this.#choice.hasFresh()) this.holder.onStalled();
  }

  /**
   * Books an attempt's ending, once for each lease. The engine releases the lease itself: at once, or, after a stall,
   * when that attempt ends. `status` is the upstream's own, or 101 for a tunnel that has ended; 0 where there was none.
   */
  settle(lease: Lease, outcome: Outcome, status = 0): void {
    if (lease === this.#current) this.#current = undefined;
    this.#trace?.settled(lease, { outcome, status, grpcStatus: this.grpcStatus }, this.#plane.now());
    this.#plane.colors[lease.target.color]!.counters.attempt(outcome);
    if (outcomeRow(outcome).blame === "target") this.#blame(lease.target);
    else if (outcome === "answered") lease.target.passes++;
    // how long a tunnel or a stream lasts says nothing of how fast its target is
    const end = this.#lastsSince ?? this.#plane.now();
    if (lease === this.#first) this.#evidence(outcome, status, end - lease.sentAt);
  }

  /**
   * Books whether an answer of the first attempt was bad in something that only its reader can see; also after the end. At most
   * once for each request and tally; nothing is booked where {@link charging} is undefined or does not count this tally.
   */
  charge(tally: string, bad: boolean): void {
    this.charging?.add(tally, bad, this.#key);
  }

  /** A hash of the affinity key; undefined without one. */
  get user(): number | undefined {
    return this.#key === undefined ? undefined : userHash(this.#key);
  }

  /** Whether how slow this attempt is cannot be said yet: then it is left to run on, though another has answered. */
  isTimed(lease: Lease): boolean {
    const after = this.charging?.slowAfter ?? Number.POSITIVE_INFINITY;
    return lease === this.#first && Number.isFinite(after) && this.#plane.now() - lease.sentAt < after;
  }

  /**
   * Whether the request is sent again after this ending; {@link claim} comes next then. Takes the repetition out of the
   * budget, so it is asked once for each ending.
   */
  retries(outcome: Outcome): boolean {
    if (!this.#again(outcome)) return false;
    this.color.counters.retried(outcome);
    return true;
  }

  /**
   * The answer is a tunnel or a stream of events, and its head is on its way: from now on it is not in flight, but counts
   * as a tunnel of the color that answers. `end` is called at most once, never before this returns, when it has to end in
   * an orderly way.
   */
  lasts(end: () => void): void {
    const target = this.#current?.target;
    if (target === undefined || this.#finished) return;
    const { color, overridden } = this;
    this.#lastsSince = this.#plane.now();
    this.#lasting = { color, target, overridden, end };
    this.hedgeLost();
    this.#dropAll();
    this.#plane.tunnels.add(this.#lasting);
  }

  /** The client was answered with `status`, or is gone (499). `bytes` counts the body handed to it. */
  finish(status: number, outcome: Outcome, bytes: number): void {
    if (this.#finished) return;
    this.#finished = true;
    this.tap?.close();
    const plane = this.#plane;
    const end = plane.now();
    const duration = (this.#lastsSince ?? end) - this.#startedAt;
    const answered = this.#answering !== undefined && outcome !== "no_target";
    const counters = answered ? this.#answering!.counters : plane.none;
    counters.answered(this.facts.method, status, duration);
    if (this.#trace !== undefined) {
      if (this.#trace.sampled) counters.exemplar(duration, this.#trace.context.traceId, Date.now());
      this.#endTrace(this.#trace, { status, outcome, answered, end });
    }
    if (this.grpcStatus !== undefined) counters.grpcAnswered(this.grpcStatus);
    this.hedgeLost();
    if (this.#lasting === undefined) this.#dropAll();
    else plane.tunnels.remove(this.#lasting);
    if (plane.accessLog) this.#log(status, outcome, end - this.#startedAt, bytes, answered);
  }

  #endTrace(trace: Trace, ended: { status: number; outcome: Outcome; answered: boolean; end: number }): void {
    const { status, outcome, answered, end } = ended;
    trace.finished(
      {
        ...{ status, outcome, grpcStatus: this.grpcStatus, requestId: this.id, client: this.client },
        scheme: this.#plane.scheme,
        color: answered ? this.#answering!.name : "none",
        assigned: this.assigned.name,
        attempts: this.#attempts,
      },
      { start: this.#startedAt, end },
    );
  }

  #log(status: number, outcome: Outcome, duration: number, bytes: number, answered: boolean): void {
    const { bad, blame } = outcomeRow(outcome);
    const worthIt = status >= 500 || bad || blame === "client" || this.#attempts > 1;
    if (this.#plane.config.log.access === "errors" && !worthIt) return;
    this.#plane.accessLog?.({
      request_id: this.id,
      trace_id: (this.#trace?.context ?? readTraceContext(this.facts))?.traceId,
      method: this.facts.method,
      path: this.facts.path,
      status,
      ...(this.grpcStatus === undefined ? {} : { grpc_status: this.grpcStatus }),
      color: answered ? this.#answering!.name : "none",
      assigned: this.assigned.name,
      target: this.#choice.last?.url,
      attempts: this.#attempts,
      outcome,
      duration_ms: Math.round(duration * 1000) / 1000,
      bytes,
      client: this.client,
    });
  }

  /** Before the first snapshot nothing has weight, and the first color has no target either. */
  #draw(key: string | undefined): LiveColor {
    const { colors, table, draws } = this.#plane;
    return colors[chooseColor(table, key, draws)] ?? colors[0]!;
  }

  /** A color that answers for another holds the request in flight, too: it must not be stopped under it. */
  #moveTo(color: LiveColor): void {
    if (this.#answering === color) return;
    this.#dropForeign();
    this.#answering = color;
    if (color === this.assigned) return;
    color.counters.inFlight++;
    this.assigned.counters.failedOver(color.name);
  }

  #dropAll(): void {
    this.#dropForeign();
    this.#drop(this.assigned);
  }

  #dropForeign(): void {
    if (this.#answering !== undefined && this.#answering !== this.assigned) this.#drop(this.#answering);
  }

  #drop(color: LiveColor): void {
    color.counters.inFlight--;
    if (color.counters.inFlight === 0 && color.share === 0) this.#plane.onUrgent();
  }

  #blame(target: Target): void {
    target.errors++;
    this.#plane.onUrgent();
  }

  /** One record for each client request: the first attempt at the assigned color, or that there could be none. */
  #evidence(outcome: Outcome, status: number, duration: number): void {
    const { grpcStatus } = this;
    this.charging?.ended({ outcome, status, grpcStatus, duration, key: this.#key });
    if (!this.#evident) return;
    this.#evident = false;
    const row = outcomeRow(outcome);
    if (row.blame === "client") return;
    this.assigned.counters.evidenceRequests++;
    if (row.bad) this.assigned.counters.evidenceBad++;
  }

  #again(outcome: Outcome): boolean {
    const { retry, on } = outcomeRow(outcome);
    if (retry === "never" || !this.#mayRepeat(retry)) return false;
    if (outcome === "stalled") return true;
    const { config, retryBudget } = this.#plane;
    if (on === undefined || !config.retry.on.includes(on) || this.#repeated >= config.retry.attempts)
      return false;
    if (!this.#choice.hasAny() || !retryBudget.spend(this.#plane.now())) return false;
    this.#repeated++;
    return true;
  }

  #mayRepeat(retry: "unsent" | "sent"): boolean {
    if (!this.bodyKept) return false;
    return retry === "unsent" || this.#plane.isRepeatable(this.facts.method, this.facts.path);
  }
}
