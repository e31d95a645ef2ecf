import type { Field } from "../core/forwarding.ts";
import { type Outcome, outcomeRow } from "../core/outcome.ts";
import type { RequestFacts } from "../core/request-facts.ts";
import type { Lease, Target, Waiter } from "../targets/target.ts";
import { Assignment } from "./assignment.ts";
import type { DataPlane } from "./data-plane.ts";
import { accessLine, type EndedRequest } from "./ended-request.ts";
import type { LiveColor } from "./live-color.ts";
import type { ColorCounters } from "./record.ts";
import { Route } from "./route.ts";
import type { Tap } from "./tap.ts";
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
export class Exchange extends Assignment implements Waiter {
  /** Set to false by the engine once a byte of the body has been dropped from the buffer. */
  bodyKept = true;
  /** Who moves the bytes of the attempt that is under way; undefined when nobody waits for an answer's head. */
  holder: Holder | undefined;
  /** Who looks on; undefined for most requests, and always where nothing wants to. */
  readonly tap: Tap | undefined;
  readonly #trace: Trace | undefined;
  readonly #startedAt: number;
  readonly #route: Route;
  /** The first attempt at the assigned color. */
  #first: Lease | undefined;
  /** The newest attempt, while it is not settled. */
  #current: Lease | undefined;
  #repeated = 0;
  #finished = false;
  #lasting: LongAnswer | undefined;
  /** When it began to last. */
  #lastsSince: number | undefined;

  /** @param now milliseconds on the plane's clock. */
  constructor(plane: DataPlane, facts: RequestFacts, now: number) {
    super(plane, facts);
    this.#startedAt = now;
    this.#trace = plane.tracer?.begin(facts, now);
    this.#route = new Route(plane, this.assigned, this.key, plane.config.failover && !this.overridden);
    this.tap = plane.taps?.open(this, now);
  }

  /** Value of `Strict-Transport-Security` for the answer. */
  get hsts(): string | undefined {
    return this.plane.hsts;
  }

  /** The color that answers, or that is being tried; the assigned one before any attempt. */
  get color(): LiveColor {
    return this.#route.answering ?? this.assigned;
  }

  /** The attempt under way is the first one, at the assigned color: what it answers may be evidence. */
  get onFirstAttempt(): boolean {
    return this.#first !== undefined && this.#current === this.#first;
  }

  /** Milliseconds on the plane's clock. */
  now(): number {
    return this.plane.now();
  }

  get attempts(): number {
    return this.#route.attempts;
  }

  /**
   * Picks a target and takes a place there, in one go with reading the snapshot. Undefined: no color is left, answer
   * `no_target`.
   */
  claim(): Lease | undefined {
    const first = this.#route.attempts === 0;
    const picked = this.#route.advance();
    const own = picked?.color === this.assigned.index;
    if (first && !own) this.evidence("no_target", 0, 0);
    if (picked === undefined) return undefined;
    const lease = picked.claim(this.plane.now(), this);
    if (first && own) this.#first = lease;
    this.#current = lease;
    this.plane.suspects.watch(picked);
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
    return this.#trace.fields(lease, this.plane.colors[lease.target.color]!.name, version);
  }

  /**
   * After how many milliseconds without a byte a second attempt may be sent: the color's recent p95. Undefined where
   * `hedge` is not configured, the request may not be repeated, or nothing is known of the color yet.
   */
  hedgeAfter(): number | undefined {
    const { hedgeBudget } = this.plane;
    if (hedgeBudget === undefined || !HEDGED.has(this.facts.method) || !this.#mayRepeat("sent"))
      return undefined;
    return this.color.latency.p95(this.plane.now());
  }

  /** Takes a place for a second attempt beside the one that is slow; undefined without a target or a budget for it. */
  hedge(): Lease | undefined {
    const now = this.plane.now();
    if (!this.#route.hasFresh() || !this.plane.hedgeBudget?.spend(now)) return undefined;
    const picked = this.#route.branch();
    const lease = picked.claim(now, this);
    this.plane.suspects.watch(picked);
    return lease;
  }

  /** The second attempt takes the first one's place: it has answered, or the first has failed. */
  hedgeWon(lease: Lease): void {
    this.#route.stayAtBranch(this.plane.colors[lease.target.color]!);
    this.#current = lease;
  }

  /** The second attempt is out of the race. */
  hedgeLost(): void {
    this.#route.leaveBranch();
  }

  /** An answer's head has begun to arrive at this attempt, also at one that was given up as stalled. */
  firstByte(lease: Lease): void {
    this.plane.firstByte(lease);
  }

  /** A further part of an answer has arrived: its target is not silent, though others may wait there. */
  heard(lease: Lease): void {
    this.plane.heard(lease);
  }

  stalled(lease: Lease): void {
    if (lease !== this.#current || this.holder === undefined) return;
    if (this.#mayRepeat("sent") && this.#route.hasFresh()) this.holder.onStalled();
  }

  /**
   * Books an attempt's ending, once for each lease. The engine releases the lease itself: at once, or, after a stall,
   * when that attempt ends. `status` is the upstream's own, or 101 for a tunnel that has ended; 0 where there was none.
   */
  settle(lease: Lease, outcome: Outcome, status = 0): void {
    if (lease === this.#current) this.#current = undefined;
    this.#trace?.settled(lease, { outcome, status, grpcStatus: this.grpcStatus }, this.plane.now());
    this.plane.colors[lease.target.color]!.counters.attempt(outcome);
    if (outcomeRow(outcome).blame === "target") this.#blame(lease.target);
    else if (outcome === "answered") lease.target.passes++;
    // how long a tunnel or a stream lasts says nothing of how fast its target is
    const end = this.#lastsSince ?? this.plane.now();
    if (lease === this.#first) this.evidence(outcome, status, end - lease.sentAt);
  }

  /** Whether how slow this attempt is cannot be said yet: then it is left to run on, though another has answered. */
  isTimed(lease: Lease): boolean {
    const after = this.charging?.slowAfter ?? Number.POSITIVE_INFINITY;
    return lease === this.#first && Number.isFinite(after) && this.plane.now() - lease.sentAt < after;
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
    this.#lastsSince = this.plane.now();
    this.#lasting = { color, target, overridden, end };
    this.#route.leave();
    this.plane.tunnels.add(this.#lasting);
  }

  /** The client was answered with `status`, or is gone (499). `bytes` counts the body handed to it. */
  finish(status: number, outcome: Outcome, bytes: number): void {
    if (this.#finished) return;
    this.#finished = true;
    this.tap?.close();
    const end = this.plane.now();
    const duration = (this.#lastsSince ?? end) - this.#startedAt;
    const by = outcome === "no_target" ? undefined : this.#route.answering;
    this.#count(by?.counters ?? this.plane.none, status, duration);
    this.#tell(status, outcome, bytes, by, end);
    if (this.#lasting === undefined) this.#route.leave();
    else this.plane.tunnels.remove(this.#lasting);
  }

  #count(counters: ColorCounters, status: number, duration: number): void {
    counters.answered(this.facts.method, status, duration);
    if (this.#trace?.sampled) counters.exemplar(duration, this.#trace.context.traceId, Date.now());
    if (this.grpcStatus !== undefined) counters.grpcAnswered(this.grpcStatus);
  }

  /** Adds its trace's span and its line in the access log, where these are wanted. */
  #tell(status: number, outcome: Outcome, bytes: number, by: LiveColor | undefined, end: number): void {
    const logs = this.#isLogged(status, outcome);
    if (this.#trace === undefined && !logs) return;
    const { facts, id, client, grpcStatus } = this;
    const ended: EndedRequest = {
      ...{ facts, id, client, status, outcome, grpcStatus, bytes, end },
      start: this.#startedAt,
      scheme: this.plane.scheme,
      color: by?.name ?? "none",
      assigned: this.assigned.name,
      target: this.#route.last?.url,
      attempts: this.#route.attempts,
    };
    this.#trace?.finished(ended);
    if (logs) this.plane.accessLog?.(accessLine(ended, this.#trace));
  }

  #isLogged(status: number, outcome: Outcome): boolean {
    const { accessLog, config } = this.plane;
    if (accessLog === undefined) return false;
    const { bad, blame } = outcomeRow(outcome);
    return (
      config.log.access !== "errors" || status >= 500 || bad || blame === "client" || this.#route.attempts > 1
    );
  }

  #blame(target: Target): void {
    target.errors++;
    this.plane.onUrgent();
  }

  #again(outcome: Outcome): boolean {
    const { retry, on } = outcomeRow(outcome);
    if (retry === "never" || !this.#mayRepeat(retry)) return false;
    if (outcome === "stalled") return true;
    const { config, retryBudget } = this.plane;
    if (on === undefined || !config.retry.on.includes(on) || this.#repeated >= config.retry.attempts)
      return false;
    if (!this.#route.hasAny() || !retryBudget.spend(this.plane.now())) return false;
    this.#repeated++;
    return true;
  }

  #mayRepeat(retry: "unsent" | "sent"): boolean {
    if (!this.bodyKept) return false;
    return retry === "unsent" || this.plane.isRepeatable(this.facts.method, this.facts.path);
  }
}
