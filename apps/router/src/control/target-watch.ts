import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { Report } from "../core/report.ts";
import type { Health } from "../core/snapshot.ts";
import { type CheckState, healthOf, UNCHECKED } from "../core/target-health.ts";
import { ActiveChecks, type Checked } from "../targets/active-check.ts";
import { PassiveEjection } from "../targets/passive.ts";
import type { Probe } from "../targets/probe.ts";
import type { Log } from "./log.ts";

export type HealthSettings = Pick<Config, "health" | "passive">;

/** News of a target's health, for the log and the stream of events. */
export interface HealthChange {
  readonly target: string;
  readonly from: Health;
  readonly to: Health;
  /** Why, for people. */
  readonly why: string;
}

export interface TargetWatchOptions {
  readonly settings: HealthSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly probe: Probe;
  readonly log: Log;
  /** What another router's checks have said; counts for targets that are watched from the start. Default: nothing. */
  readonly known?: readonly KnownTarget[];
  /** Called when a target's health has changed. */
  readonly onHealth: (change: HealthChange) => void;
}

/** What checks have said of a target so far. */
export interface KnownTarget {
  readonly url: string;
  readonly state: CheckState;
  readonly last: Checked | undefined;
}

/** Health by URL, of those that checks have a verdict on. An ejection is not known elsewhere. */
export function healthOfKnown(known: readonly KnownTarget[]): Map<string, Health> {
  return new Map(known.map(({ url, state }) => [url, healthOf(state, false)]));
}

interface Watched {
  state: CheckState;
  health: Health;
  last: Checked | undefined;
}

/** Knows the health of every target: checks and ejections put together. It decides nothing; the store does. */
export class TargetWatch {
  readonly #options: TargetWatchOptions;
  readonly #checks: ActiveChecks;
  readonly #passive: PassiveEjection;
  readonly #watched = new Map<string, Watched>();
  #known: readonly KnownTarget[];

  constructor(options: TargetWatchOptions) {
    const { settings, clock, random, probe } = options;
    this.#options = options;
    this.#known = options.known ?? [];
    const onChecked = (checked: Checked) => this.#onChecked(checked);
    this.#checks = new ActiveChecks({ config: settings.health, clock, random, probe, onChecked });
    const onEjection = (url: string, ejected: boolean, errors: number) =>
      this.#judge(url, ejected ? `${errors} errors on requests` : "its ejection is over");
    this.#passive = new PassiveEjection({ config: settings.passive, clock, onEjection });
  }

  sync(urls: readonly string[]): void {
    for (const url of this.#watched.keys()) if (!urls.includes(url)) this.#watched.delete(url);
    for (const url of urls) {
      if (this.#watched.has(url)) continue;
      const { state = UNCHECKED, last } = this.#known.find((each) => each.url === url) ?? {};
      this.#watched.set(url, { state, health: healthOf(state, false), last });
    }
    this.#known = [];
    this.#passive.sync(urls);
    this.#checks.sync(urls, (url) => this.#watched.get(url)!.state);
  }

  configure({ health, passive }: HealthSettings): void {
    this.#checks.configure(health);
    this.#passive.configure(passive);
  }

  onReport(report: Report): void {
    this.#passive.onReport(report);
  }

  /** The last check of a target, for status pages. */
  lastCheck(url: string): Checked | undefined {
    return this.#watched.get(url)?.last;
  }

  #onChecked(checked: Checked): void {
    const watched = this.#watched.get(checked.url);
    if (watched === undefined) return;
    watched.last = checked.ok ? checked : namedBefore(checked, watched.last);
    watched.state = checked.state;
    this.#judge(checked.url, checked.detail);
  }

  #judge(url: string, why: string): void {
    const watched = this.#watched.get(url);
    if (watched === undefined) return;
    const from = watched.health;
    const to = healthOf(watched.state, this.#passive.isEjected(url));
    if (from === to) return;
    watched.health = to;
    const change = { target: url, from, to, why };
    this.#options.log[to === "up" ? "info" : "warn"]({ ...change }, `${url} is ${to}: ${why}`);
    this.#options.onHealth(change);
  }

  /** What is known of every target, for whoever goes on from here. */
  get known(): KnownTarget[] {
    return [...this.#watched].map(([url, { state, last }]) => ({ url, state, last }));
  }

  /** After `stop`: goes on from what was known. */
  resume(known: readonly KnownTarget[], urls: readonly string[]): void {
    this.#known = known;
    this.sync(urls);
  }

  stop(): void {
    this.#checks.stop();
    this.#passive.stop();
    this.#watched.clear();
  }
}

/** A failed check seldom says what runs there, but what ran there is still worth to know. One that passes and is silent is not named. */
function namedBefore(checked: Checked, last: Checked | undefined): Checked {
  const { version = last?.version, digest = last?.digest } = checked;
  return { ...checked, version, digest };
}
