import type { Config } from "../config/config.ts";
import { keepTls } from "../config/reload.ts";
import { Budget } from "../core/budget.ts";
import type { ColorTable, DrawState } from "../core/choose-color.ts";
import { NO_COLOR, SmoothRoundRobin } from "../core/pick-color.ts";
import { compileRepeatable, type IsRepeatable } from "../core/repeatable.ts";
import type { Report } from "../core/report.ts";
import type { RequestFacts } from "../core/request-facts.ts";
import type { Snapshot } from "../core/snapshot.ts";
import { Dialer } from "../targets/dialer.ts";
import type { Lease, Target } from "../targets/target.ts";
import type { TlsMaterial } from "../tls/material.ts";
import type { AccessLog } from "./access-line.ts";
import { affinityReader, type ReadAffinity } from "./affinity-key.ts";
import { Observer } from "./answers/observer.ts";
import { Exchange } from "./exchange.ts";
import { ClosedGate } from "./gate.ts";
import { LiveColor } from "./live-color.ts";
import { type Contains, clientAddress, networks, plainAddress } from "./networks.ts";
import { OverrideRule } from "./override.ts";
import { processFacts } from "./process-facts.ts";
import { ColorCounters } from "./record.ts";
import { bookRefused, type RefusedAnswer } from "./refused-request.ts";
import { RequestIds } from "./request-ids.ts";
import { Chargings } from "./rollout/chargings.ts";
import { ServedBuffer } from "./served-buffer.ts";
import { leaveDownTargets, Suspects } from "./suspects.ts";
import type { Taps } from "./tap.ts";
import { Contexts } from "./tls/contexts.ts";
import { hstsValue } from "./tls/hsts.ts";
import { SpanExport } from "./tracing/span-export.ts";
import { Tracer } from "./tracing/tracer.ts";
import { Tunnels } from "./tunnels.ts";

export interface DataPlaneOptions {
  readonly config: Config;
  /** Milliseconds on a clock that never goes back. Default: `performance.now`. */
  readonly now?: () => number;
  /** Uniform in [0, 1). Default: `Math.random`. */
  readonly random?: () => number;
  /** Which data-plane process this is. Default 0. */
  readonly worker?: number;
  readonly accessLog?: AccessLog;
}

/**
 * Everything that decides about requests, apart from sockets: it holds the newest snapshot, begins exchanges, and
 * counts. It waits for nobody and knows nothing of who makes the snapshots.
 */
export class DataPlane {
  readonly now: () => number;
  readonly random: () => number;
  readonly colors: readonly LiveColor[];
  readonly draws: DrawState;
  /** Answers that no color gave. */
  readonly none = new ColorCounters();
  /** Where spans go; does nothing where tracing is off. */
  readonly spans = new SpanExport();
  /** Bytes of request bodies kept for a repetition, over all requests; engines add and subtract. */
  buffered = 0;
  /** Open client connections; engines add and subtract. */
  connections = 0;
  table: ColorTable;
  /** Who looks at requests and answers; undefined where nobody does. */
  taps: Taps | undefined;
  /** Reads answers and copies requests, where that is asked for. */
  readonly observer: Observer;
  /** Makes every connection to a target. */
  readonly dialer = new Dialer();
  /** What clients are shown; undefined where they speak plain HTTP. */
  contexts: Contexts | undefined;
  /** Handshakes with clients, by how they ended. */
  readonly handshakes = { done: 0, failed: 0 };
  /** By what requests are counted for a rollout. */
  readonly chargings = new Chargings();
  /**
   * Undefined while new requests may begin, which is all that the hot path looks at. Otherwise an engine asks it before
   * `begin`, and waits where it gets a ticket.
   */
  gate: ClosedGate | undefined;
  // What is compiled from the configuration; see configure().
  config!: Config;
  accessLog: AccessLog | undefined;
  isRepeatable!: IsRepeatable;
  isTrusted!: Contains;
  override: OverrideRule | undefined;
  /** Value of `Strict-Transport-Security` on every answer. */
  hsts: string | undefined;
  affinity: ReadAffinity | undefined;
  retryBudget!: Budget;
  /** Undefined where nothing is hedged. */
  hedgeBudget: Budget | undefined;
  /** Undefined where tracing is off. */
  tracer: Tracer | undefined;
  /** Called when a report should not wait: a target erred, or an emptied color has nothing in flight any more. */
  onUrgent: () => void = () => {};
  /** What was predicted, for feedback that comes later. Whoever reads an answer's predictions pushes here. */
  readonly served = new ServedBuffer(() => this.onUrgent());
  readonly #worker: number;
  readonly #accessLog: AccessLog | undefined;
  /** Names requests. */
  readonly ids = new RequestIds();
  #epoch = 0;
  /** The rule for silent targets. */
  readonly suspects = new Suspects(this);
  readonly #gate = new ClosedGate(this);
  /** Answers that may outlive a flip. */
  readonly tunnels = new Tunnels(this);

  constructor(options: DataPlaneOptions) {
    const { config } = options;
    this.now = options.now ?? (() => performance.now());
    this.random = options.random ?? Math.random;
    this.#accessLog = options.accessLog;
    this.#worker = options.worker ?? 0;
    this.colors = Object.keys(config.colors).map((name, index) => new LiveColor(name, index));
    const failover = this.colors.map(() => new SmoothRoundRobin());
    this.draws = { assign: new SmoothRoundRobin(), failover, random: this.random };
    const names = this.colors.map((color) => color.name);
    this.table = { names, weights: names.map(() => 0), standby: NO_COLOR, split: config.split, salt: "" };
    this.observer = new Observer(this);
    this.configure(config);
  }

  /**
   * Serves by other options from the next request on. The colors' names stay what they were at the start, and so does
   * whether clients speak TLS.
   */
  configure(next: Config): void {
    const config = this.config === undefined ? next : keepTls(this.config, next);
    this.config = config;
    this.hsts = hstsValue(config.tls?.hsts);
    this.accessLog = config.log.access === "off" ? undefined : this.#accessLog;
    this.isRepeatable = compileRepeatable(config.retry.idempotent_paths);
    this.isTrusted = networks(config.trusted_proxies);
    this.override = config.override && new OverrideRule(config.override);
    this.affinity = affinityReader(config.affinity, () => this.ids.next());
    this.retryBudget = new Budget(config.retry.budget);
    this.served.share = config.feedback?.sample ?? 0;
    this.hedgeBudget = config.hedge && new Budget(config.hedge.max);
    this.spans.configure(config.tracing);
    this.tracer = config.tracing && new Tracer(config.tracing, this.spans.sink);
    this.tunnels.review();
    this.observer.configure();
    this.#tap();
  }

  #tap(): void {
    const { observer } = this;
    if (observer.active) this.taps = observer;
    else if (this.taps === observer) this.taps = undefined;
  }

  /** New connections show and expect other certificates; those that there are go on. */
  equip(material: TlsMaterial): void {
    this.dialer.use(material.upstream);
    this.contexts = material.server && new Contexts(material.server);
  }

  /** How clients connect to this port. */
  get scheme(): "http" | "https" {
    return this.config.tls === undefined ? "http" : "https";
  }

  get epoch(): number {
    return this.#epoch;
  }

  /**
   * Serves by a new snapshot from the next request on. What waits at targets that are down moves elsewhere: with every
   * snapshot anew, because an elsewhere may only now have come up.
   */
  serve(snapshot: Snapshot): void {
    if (snapshot.epoch <= this.#epoch) return;
    this.#epoch = snapshot.epoch;
    const names = this.table.names;
    const views = new Map(snapshot.colors.map((view) => [view.name, view]));
    for (const color of this.colors) {
      color.update(views.get(color.name) ?? { name: color.name, weight: 0, share: 0, targets: [] });
    }
    this.table = {
      names,
      weights: names.map((name) => views.get(name)?.weight ?? 0),
      standby: snapshot.standby === undefined ? NO_COLOR : names.indexOf(snapshot.standby),
      split: snapshot.split,
      salt: snapshot.salt,
    };
    this.chargings.serve(snapshot, this.colors);
    this.observer.serve(snapshot.shadow, snapshot.rollout);
    this.#tap();
    leaveDownTargets(this.colors);
    this.tunnels.review();
    this.#gate.set(snapshot.gate);
  }

  /** To be called by an engine shortly before it cuts what is left: what can end in an orderly way does so now. */
  lastCall(): void {
    this.#gate.stop();
    this.tunnels.endAll();
  }

  /** The color that an override names; an unknown name is ignored. */
  forcedColor(facts: RequestFacts): LiveColor | undefined {
    const wanted = this.override?.wanted(facts, () => this.clientOf(facts));
    if (wanted === undefined) return undefined;
    return this.colors.find((color) => color.name === wanted);
  }

  /** Begins an exchange: the color is drawn now. An engine asks {@link gate} first. */
  begin(facts: RequestFacts): Exchange {
    const now = this.now();
    this.retryBudget.request(now);
    this.hedgeBudget?.request(now);
    return new Exchange(this, facts, now);
  }

  /** The first byte of an answer has come, also to an attempt that was given up as stalled. */
  firstByte(lease: Lease): void {
    if (!lease.linked) return;
    const now = this.now();
    lease.firstByte(now);
    this.colors[lease.target.color]!.latency.record(now - lease.claimedAt, now);
  }

  /** A further part of an answer has arrived: its target is not silent, though others may wait there. */
  heard(lease: Lease): void {
    lease.heard(this.now());
  }

  /** The client's own address, seen through trusted proxies. */
  clientOf(facts: RequestFacts): string {
    if (this.config.trusted_proxies.length === 0) return plainAddress(facts.peer);
    return clientAddress(facts.peer, facts.header("x-forwarded-for"), this.isTrusted);
  }

  /** `X-Request-Id`: the client's if it is well formed, else a new one. */
  idOf(facts: RequestFacts): string {
    return this.ids.of(facts);
  }

  /** Books a request that got no color. */
  refused(facts: RequestFacts, answer: RefusedAnswer): void {
    bookRefused(this, facts, answer);
  }

  /** Moves what waits at suspects. Public for tests with a clock of their own. */
  sweep(): void {
    this.suspects.sweep();
  }

  report(): Report {
    this.observer.flush();
    const suspect = (target: Target) => this.suspects.isSuspect(target);
    const colors = this.colors.map((color) => [
      color.name,
      { ...color.counters.report(color.targetReports(suspect)), ...this.observer.report(color.name) },
    ]);
    const shadow = this.observer.mirror.report();
    const run = this.chargings.report();
    return {
      worker: this.#worker,
      epoch: this.#epoch,
      colors: {
        ...Object.fromEntries(colors),
        none: { ...this.none.report({}), held: this.#gate.held, gated: this.#gate.counts },
      },
      connections: this.connections,
      process: processFacts(),
      ...(this.config.tracing ? { spans: this.spans.counts() } : {}),
      ...(this.contexts ? { handshakes: { ...this.handshakes } } : {}),
      servedDropped: this.served.dropped,
      ...(shadow && { shadow }),
      ...(run && { runs: [run] }),
    };
  }
}
