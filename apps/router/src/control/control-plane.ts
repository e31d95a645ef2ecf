import type { Hono } from "hono";
import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { Report } from "../core/report.ts";
import type { AdminEnv } from "./admin/env.ts";
import { type Apps, createApps } from "./apps.ts";
import { systemClock } from "./clock.ts";
import type { ControlPlaneOptions } from "./control-plane-options.ts";
import { disk } from "./disk.ts";
import { flashReport } from "./flash-report.ts";
import type { HandedState } from "./handing.ts";
import { connect, tellHealth } from "./news.ts";
import { fileColors, openStore, startStore } from "./open-store.ts";
import { Parts } from "./parts.ts";
import { firstVerdicts, whyUnready } from "./readiness.ts";
import { digestOf, serialize } from "./saved-state.ts";
import { StateFile } from "./state-file.ts";
import { MemoryStorage, type Storage } from "./storage.ts";
import type { Store } from "./store.ts";
import type { HealthChange, KnownTarget } from "./target-watch.ts";

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
    await plane.restore();
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
  readonly store: Store;
  readonly #options: ControlPlaneOptions & { readonly clock: Clock };
  readonly #parts: Parts;
  readonly #apps: Apps;
  readonly #leaving = new AbortController();
  #known: readonly KnownTarget[] = [];
  #config: Config;

  constructor(options: ControlPlaneOptions & { readonly clock: Clock }, store: Store) {
    this.#options = options;
    this.#config = options.config;
    this.store = store;
    const config = () => this.#config;
    const onHealth = (change: HealthChange) => tellHealth(this.#parts, change);
    const all = { ...options, store, config, onHealth };
    this.#parts = new Parts(all);
    this.#apps = createApps(this.#parts, {
      ...all,
      unready: () => this.#unready(),
      leaving: this.#leaving.signal,
    });
    connect(this.#parts, options.channel);
  }

  get adminApp(): Hono<AdminEnv> {
    return this.#apps.admin;
  }

  get metricsApp(): Hono<AdminEnv> | undefined {
    return this.#apps.metrics;
  }

  /** Reads what an earlier process remembered for feedback. */
  async restore(): Promise<void> {
    await this.#parts.feedback.restore();
  }

  async start(): Promise<void> {
    const { handed } = this.#options;
    const { shadowFile, rollouts, activity } = this.#parts;
    await shadowFile.load(handed?.shadow);
    await rollouts.load(handed?.rollouts, handed?.releases);
    await startStore(this.store, this.#config.state);
    activity.start(() => flashReport(this.#parts));
    rollouts.start(handed !== undefined);
  }

  #unready(): string | undefined {
    if (this.#leaving.signal.aborted) return "The router is about to stop.";
    return this.#options.unready?.() ?? whyUnready(this.store.view.snapshot);
  }

  firstVerdicts(timeout: number): Promise<boolean> {
    return firstVerdicts(this.store, this.#options.clock, timeout);
  }

  open(): void {
    this.store.open();
    this.#parts.feedback.open();
    this.#parts.rollouts.open();
  }

  retire(): void {
    this.#leaving.abort();
  }

  async give(): Promise<HandedState> {
    const { watch, feedback, rollouts, shadowFile, weightChanges } = this.#parts;
    this.#known = watch.known;
    watch.stop();
    await feedback.give();
    const given = { rollouts: await rollouts.give(), shadow: await shadowFile.give() };
    const releases = rollouts.records;
    const state = serialize(await this.store.give());
    return { state, health: this.#known, weightChanges: weightChanges.counts, releases, ...given };
  }

  async takeBack(): Promise<void> {
    const { watch, feedback, rollouts, shadowFile } = this.#parts;
    watch.resume(this.#known, this.store.view.urls);
    await this.store.takeBack();
    feedback.takeBack();
    rollouts.takeBack();
    shadowFile.takeBack();
  }

  async summary(without: readonly number[]): Promise<Report> {
    const { book, feedback } = this.#parts;
    await book.refresh();
    const served = feedback.forward();
    return { ...book.summary(without), ...(served.length > 0 ? { served } : {}) };
  }

  async reload(config: Config): Promise<void> {
    const file = fileColors(config.colors);
    if (digestOf(file) !== this.store.fileDigest) {
      await this.store.apply({ kind: "reload", file }, { who: "configuration file" });
    }
    this.#config = config;
    this.#parts.watch.configure(config);
    this.store.setSplit(config.split);
    this.#parts.feedback.configure(config.feedback);
    this.#parts.shadows.check();
  }

  async stop(): Promise<void> {
    this.retire();
    const { watch, activity, gateKeeper, feedback, rollouts, shadowFile } = this.#parts;
    watch.stop();
    activity.stop();
    gateKeeper.stop();
    await feedback.close();
    await rollouts.stop();
    await shadowFile.save();
    await this.store.close();
  }
}
