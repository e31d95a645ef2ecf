import type { Hono } from "hono";
import type { Channel } from "../channel.ts";
import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { Report } from "../core/report.ts";
import { hasAvailableTarget } from "../core/snapshot.ts";
import { WEIGHT_KINDS } from "../core/transitions.ts";
import { RouterMetrics } from "../metrics/registry.ts";
import { Dialer } from "../targets/dialer.ts";
import { type Probe, targetProbe } from "../targets/probe.ts";
import type { TlsFacts } from "../tls/facts.ts";
import { RecentActivity } from "./activity.ts";
import type { AdminEnv } from "./admin/env.ts";
import { noUpgrade, type Upgrade } from "./admin/upgrade.ts";
import { createAdminApp, createMetricsApp } from "./admin-api.ts";
import { type Resolve, resolveHost } from "./allowed-targets.ts";
import { systemClock } from "./clock.ts";
import { CollectorWatch } from "./collector-watch.ts";
import { type Disk, disk } from "./disk.ts";
import { EventHub } from "./events.ts";
import type { Feedback } from "./feedback/feedback.ts";
import { truthGuard } from "./feedback/guard.ts";
import { createFeedback, judgedNow } from "./feedback/open.ts";
import { GateKeeper } from "./gate-keeper.ts";
import { type AskTarget, askTarget } from "./gates/ask.ts";
import { candidateGates } from "./gates/gates.ts";
import type { HandedState } from "./handing.ts";
import { ConfiguredHooks } from "./hooks/hooks.ts";
import type { Log } from "./log.ts";
import { fileColors, openStore, startStore } from "./open-store.ts";
import { ReportBook } from "./report-book.ts";
import { createRollouts } from "./rollout/create.ts";
import type { Rollouts } from "./rollout/rollouts.ts";
import { digestOf, serialize } from "./saved-state.ts";
import { shadowGate } from "./shadow/gate.ts";
import { ANSWER_GUARDS } from "./shadow/guards.ts";
import { PredictionsBook } from "./shadow/predictions-book.ts";
import { ShadowFile } from "./shadow/shadow-file.ts";
import { Shadows } from "./shadow/shadows.ts";
import { StateFile } from "./state-file.ts";
import { MemoryStorage, type Storage } from "./storage.ts";
import type { Store } from "./store.ts";
import { type HealthChange, type KnownTarget, TargetWatch } from "./target-watch.ts";

export interface ControlPlaneOptions {
  readonly config: Config;
  readonly channel: Channel;
  readonly log: Log;
  /** The router's version. */
  readonly version: string;
  /** @default the machine's */
  readonly clock?: Clock;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
  /** @default the machine's */
  readonly disk?: Disk;
  /** @default real HTTP requests */
  readonly probe?: Probe;
  /** Asks targets before they get requests. @default real HTTP requests, in TLS by the system's authorities */
  readonly ask?: AskTarget;
  /** Why the data plane would not answer yet, in a sentence. @default it always would */
  readonly unready?: () => string | undefined;
  /** What the metrics say of TLS. @default nothing */
  readonly tls?: () => TlsFacts;
  /** Addresses of a host name. @default the system's resolver */
  readonly resolve?: Resolve;
  /** What the router before this one handed over. Then commands are refused until `open()`. @default nothing */
  readonly handed?: HandedState | undefined;
  /** Starts the program that is on the disk now in this one's place. @default refused */
  readonly upgrade?: Upgrade;
}

/** What `main` wires: two apps to serve, and a life to begin, to change and to end. */
export interface ControlPlane {
  readonly adminApp: Hono<AdminEnv>;
  /** For `metrics.listen`, where it is an address of its own; undefined where metrics are on the admin port. */
  readonly metricsApp: Hono<AdminEnv> | undefined;
  readonly store: Store;
  /** Publishes the first snapshot and begins to check targets. @throws StartError the state cannot be saved */
  start(): Promise<void>;
  /** Resolves with true once no target waits for its first verdict; with false after `timeout` milliseconds. */
  firstVerdicts(timeout: number): Promise<boolean>;
  /** From now on commands are carried out. Only needed where something was handed over. */
  open(): void;
  /** From now on `/readyz` answers 503, and who waits or listens is sent away; for a router that is about to stop. */
  retire(): void;
  /** Gives the state away: commands are refused, nothing is checked any more, the folder is free. */
  give(): Promise<HandedState>;
  /** After `give()`: goes on as if nothing had happened. @throws StartError somebody else has the folder */
  takeBack(): Promise<void>;
  /** Everything that was counted, but for what these workers have counted themselves. */
  summary(without: readonly number[]): Promise<Report>;
  /**
   * Takes over a configuration that was read again. Health and ejection settings, tokens, `split` and `allowed_targets`
   * count from now on; colors only where the file's own changed. Other options are the data plane's.
   * @throws Refusal nothing has changed: the colors have other names, or the state could not be saved
   */
  reload(config: Config): Promise<void>;
  /** Ends checks and timers, saves what is owed, gives the state folder back. */
  stop(): Promise<void>;
}

/**
 * Builds the control plane: locks the state folder and decides what to begin with. Nothing runs before `start()`.
 * @throws StartError in one sentence: the folder cannot be used, is in use, or was written by a newer router
 */
export async function createControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { config, clock = systemClock, log } = options;
  const storage = await openStorage(options);
  try {
    const store = await openStore({ config, storage, clock, log, handed: options.handed });
    if (options.handed) store.hold();
    const plane = new Plane({ ...options, clock }, store);
    await plane.feedback.restore();
    return plane;
  } catch (error) {
    await storage.close();
    throw error;
  }
}

async function openStorage(options: ControlPlaneOptions): Promise<Storage> {
  const { config, clock = systemClock, log } = options;
  if (config.state === undefined) return new MemoryStorage();
  return await StateFile.open({
    folder: config.state,
    disk: options.disk ?? disk,
    log,
    now: () => clock.now(),
  });
}

class Plane implements ControlPlane {
  readonly adminApp: Hono<AdminEnv>;
  readonly metricsApp: Hono<AdminEnv> | undefined;
  readonly store: Store;
  readonly feedback: Feedback;
  readonly #options: ControlPlaneOptions & { readonly clock: Clock };
  readonly #book: ReportBook;
  readonly #watch: TargetWatch;
  readonly #activity: RecentActivity;
  readonly #events: EventHub;
  readonly #rollouts: Rollouts;
  readonly #shadows: Shadows;
  readonly #shadowFile: ShadowFile;
  readonly #predictions: PredictionsBook;
  readonly #gateKeeper: GateKeeper;
  readonly #weightChanges: Record<string, number> = Object.fromEntries(WEIGHT_KINDS.map((kind) => [kind, 0]));
  readonly #leaving = new AbortController();
  #known: readonly KnownTarget[] = [];
  #config: Config;

  constructor(options: ControlPlaneOptions & { readonly clock: Clock }, store: Store) {
    const { config, clock, channel } = options;
    this.#options = options;
    this.#config = config;
    this.store = store;
    Object.assign(this.#weightChanges, options.handed?.weightChanges);
    this.#book = new ReportBook(channel);
    this.#activity = new RecentActivity(() => this.#book.totals(), clock);
    this.#events = new EventHub(clock.now().toString(36));
    this.#watch = this.#createWatch();
    this.feedback = this.#createFeedback();
    this.#shadows = this.#createShadows();
    this.#shadowFile = this.#createShadowFile();
    this.#predictions = new PredictionsBook({ store, watch: this.#watch, book: this.#book, clock });
    this.#rollouts = this.#createRollouts();
    this.#gateKeeper = new GateKeeper(store, clock, options.log);
    const apps = this.#createApps();
    this.adminApp = apps.admin;
    this.metricsApp = apps.metrics;
    this.#connect(channel);
  }

  #createWatch(): TargetWatch {
    const { clock, log, random = Math.random, probe = targetProbe(clock) } = this.#options;
    const onHealth = (change: HealthChange) => this.#onHealth(change);
    const known = this.#options.handed?.health ?? [];
    return new TargetWatch({ settings: this.#config, clock, random, probe, log, onHealth, known });
  }

  #createFeedback(): Feedback {
    const { config, clock, log, disk, handed } = this.#options;
    const evidence = { judged: () => judgedNow(this.#rollouts, this.store), sink: () => this.#rollouts.sink };
    const parts = { config, clock, log, disk, store: this.store, watch: this.#watch };
    const feedback = createFeedback({ ...parts, evidence, refresh: () => this.#book.refresh() });
    if (handed) feedback.hold();
    return feedback;
  }

  #createRollouts(): Rollouts {
    const [store, book, watch] = [this.store, this.#book, this.#watch];
    const [activity, events] = [this.#activity, this.#events];
    const { clock, log, disk: files = disk } = this.#options;
    const config = () => this.#config;
    const hooks = new ConfiguredHooks({ configured: () => this.#config.hooks, log });
    const freeze = (color: string) => this.#predictions.referenceOf(color);
    const truth = truthGuard((digest, q) => this.feedback.errorQuantile(digest, q));
    const kinds = [...ANSWER_GUARDS, truth];
    const { ask = askTarget(new Dialer()) } = this.#options;
    const lastCheck = (url: string) => watch.lastCheck(url);
    const gates = [...candidateGates({ config, ask, lastCheck }), shadowGate(this.#shadows)];
    const more = { kinds, gates, hooks, freeze };
    const parts = { store, book, watch, activity, events, clock, log, config, disk: files };
    return createRollouts({ ...parts, more });
  }

  #createShadows(): Shadows {
    const { clock, log } = this.#options;
    const config = () => this.#config;
    const onChange = () => void this.#shadowFile.save();
    const [store, watch, events] = [this.store, this.#watch, this.#events];
    return new Shadows({ config, store, watch, clock, log, events, onChange });
  }

  #createShadowFile(): ShadowFile {
    const { config, clock, log, disk: files = disk } = this.#options;
    return new ShadowFile({ folder: config.state, disk: files, clock, log, shadows: this.#shadows });
  }

  #createApps() {
    const { version, clock, log, resolve = resolveHost } = this.#options;
    const [store, book, watch, activity, events] = [
      this.store,
      this.#book,
      this.#watch,
      this.#activity,
      this.#events,
    ];
    const rollouts = this.#rollouts;
    const metrics = new RouterMetrics({
      version,
      refresh: () => book.refresh(),
      totals: () => book.totals(),
      workers: () => book.workers(),
      snapshot: () => store.view.snapshot,
      weightChanges: () => this.#weightChanges,
      tls: this.#options.tls,
      feedback: () => this.feedback,
      rollout: () => rollouts.reading,
      shadow: () => this.#shadows,
    });
    const [config, unready] = [() => this.#config, () => this.#unready()];
    const { feedback } = this;
    const shadows = this.#shadows;
    const features = { feedback, shadows, rollouts };
    const parts = { store, book, watch, activity, events, ...features, metrics, config, unready };
    const { upgrade = noUpgrade } = this.#options;
    const leaving = this.#leaving.signal;
    const deps = { ...parts, clock, log, resolve, version, started: clock.now(), upgrade, leaving };
    const own = this.#config.metrics.listen !== "admin";
    return { admin: createAdminApp(deps), metrics: own ? createMetricsApp(deps) : undefined };
  }

  /** Snapshots down, reports up, news to whoever listens. */
  #connect(channel: Channel): void {
    this.store.onSnapshot((snapshot) => {
      channel.publish(snapshot);
      this.#watch.sync(this.store.view.urls);
      queueMicrotask(() => this.#shadows.check());
    });
    this.store.onChange((entry) => {
      if (Object.hasOwn(this.#weightChanges, entry.kind)) this.#weightChanges[entry.kind]! += 1;
      this.#events.publish("change", { ...entry, epoch: this.store.view.snapshot.epoch });
    });
    const { clock, log } = this.#options;
    const collector = new CollectorWatch(() => this.#config.tracing, clock, log);
    this.#book.onReport((report) => {
      collector.note(report);
      if (report.inherited) this.#activity.forget();
      this.#watch.onReport(report);
      this.#shadows.note(report);
      this.#predictions.look();
      this.feedback.sync();
      this.#shadowFile.look();
      if (report.served) this.feedback.note(report.served);
    });
  }

  async start(): Promise<void> {
    const { handed } = this.#options;
    await this.#shadowFile.load(handed?.shadow);
    await this.#rollouts.load(handed?.rollouts, handed?.releases);
    await startStore(this.store, this.#config.state);
    this.#activity.start(() => this.#flashReport());
    this.#rollouts.start(handed !== undefined);
  }

  #onHealth(change: HealthChange): void {
    this.store.setHealth(change.target, change.to);
    const { epoch, colors } = this.store.view.snapshot;
    const of = colors.filter(({ targets }) => targets.some(({ url }) => url === change.target));
    this.#events.publish("health", { epoch, colors: of.map(({ name }) => name), ...change });
  }

  /** Numbers for whoever watches; nobody is asked for them while nobody does. */
  #flashReport(): void {
    if (this.#events.listeners === 0) return;
    const { epoch, revision, colors } = this.store.view.snapshot;
    const totals = this.#book.totals();
    const of = ({ name, share }: { name: string; share: number }) => {
      const inFlight = totals[name]?.inFlight ?? 0;
      const tunnels = totals[name]?.tunnels ?? 0;
      return { name, share, in_flight: inFlight, tunnels, ...this.#activity.of(name) };
    };
    const held = totals.none?.held ?? 0;
    this.#events.flash("report", { epoch, revision, held, colors: colors.map(of) });
  }

  #unready(): string | undefined {
    if (this.#leaving.signal.aborted) return "The router is about to stop.";
    const unserved = this.#options.unready?.();
    if (unserved !== undefined) return unserved;
    const { colors, standby, gate } = this.store.view.snapshot;
    if (gate !== undefined) return undefined; // nothing needs a target while requests wait, as in a swap of all
    const serving = colors.filter(({ name, share }) => share > 0 || name === standby);
    if (serving.some(hasAvailableTarget)) return undefined;
    return "No color with weight, nor the standby, has an available target.";
  }

  firstVerdicts(timeout: number): Promise<boolean> {
    const settled = () =>
      this.store.view.snapshot.colors.every(({ targets }) =>
        targets.every(({ health }) => health !== "starting"),
      );
    if (settled()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(timeout, () => resolve(false));
      this.store.onSnapshot(() => {
        if (!settled()) return;
        cancel();
        resolve(true);
      });
    });
  }

  open(): void {
    this.store.open();
    this.feedback.open();
    this.#rollouts.open();
  }

  retire(): void {
    this.#leaving.abort();
  }

  async give(): Promise<HandedState> {
    this.#known = this.#watch.known;
    this.#watch.stop();
    await this.feedback.give();
    const rollouts = await this.#rollouts.give();
    const shadow = await this.#shadowFile.give();
    const releases = this.#rollouts.records;
    const state = serialize(await this.store.give());
    return { state, health: this.#known, weightChanges: this.#weightChanges, rollouts, releases, shadow };
  }

  async takeBack(): Promise<void> {
    this.#watch.resume(this.#known, this.store.view.urls);
    await this.store.takeBack();
    this.feedback.takeBack();
    this.#rollouts.takeBack();
    this.#shadowFile.takeBack();
  }

  async summary(without: readonly number[]): Promise<Report> {
    await this.#book.refresh();
    const served = this.feedback.forward();
    return { ...this.#book.summary(without), ...(served.length > 0 ? { served } : {}) };
  }

  async reload(config: Config): Promise<void> {
    const file = fileColors(config.colors);
    if (digestOf(file) !== this.store.fileDigest) {
      await this.store.apply({ kind: "reload", file }, { who: "configuration file" });
    }
    this.#config = config;
    this.#watch.configure(config);
    this.store.setSplit(config.split);
    this.feedback.configure(config.feedback);
    this.#shadows.check();
  }

  async stop(): Promise<void> {
    this.retire();
    this.#watch.stop();
    this.#activity.stop();
    this.#gateKeeper.stop();
    await this.feedback.close();
    await this.#rollouts.stop();
    await this.#shadowFile.save();
    await this.store.close();
  }
}
