import type { HealthConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { afterCheck, type CheckState, checkDelay, UNCHECKED } from "../core/target-health.ts";
import { type CheckResult, failed } from "./check-result.ts";
import type { Probe } from "./probe.ts";

/** A check that ended, with the state it led to. */
export interface Checked extends CheckResult {
  readonly url: string;
  readonly state: CheckState;
  /** When it began, and how long it took, in milliseconds. */
  readonly at: number;
  readonly duration: number;
}

export interface ActiveChecksOptions {
  readonly config: HealthConfig;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly probe: Probe;
  readonly onChecked: (checked: Checked) => void;
}

/** Checks every target on its own timer for as long as it is there, whatever the last result was. */
export class ActiveChecks {
  readonly #options: ActiveChecksOptions;
  readonly #checkers = new Map<string, Checker>();
  #config: HealthConfig;

  constructor(options: ActiveChecksOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  /**
   * Starts to check the URLs that are new, at once, and stops to check those that are gone.
   * @param known what earlier checks said of a new one
   */
  sync(urls: readonly string[], known: (url: string) => CheckState = () => UNCHECKED): void {
    for (const [url, checker] of this.#checkers) {
      if (urls.includes(url)) continue;
      checker.stop();
      this.#checkers.delete(url);
    }
    for (const url of urls) {
      if (this.#checkers.has(url)) continue;
      const checker = new Checker(url, this.#options, () => this.#config, known(url));
      this.#checkers.set(url, checker);
      checker.start();
    }
  }

  /** New settings, in force from each target's next check on. Verdicts stay: a reload makes nobody unhealthy. */
  configure(config: HealthConfig): void {
    this.#config = config;
  }

  stop(): void {
    this.sync([]);
  }
}

/** The timer of one target. Its checks never overlap: the next is timed when one has ended. */
class Checker {
  readonly #url: string;
  readonly #options: ActiveChecksOptions;
  readonly #config: () => HealthConfig;
  readonly #stopped = new AbortController();
  #cancel: () => void = () => {};
  #state: CheckState;

  constructor(url: string, options: ActiveChecksOptions, config: () => HealthConfig, state: CheckState) {
    this.#state = state;
    this.#url = url;
    this.#options = options;
    this.#config = config;
  }

  start(): void {
    void this.#check();
  }

  stop(): void {
    this.#stopped.abort();
    this.#cancel();
  }

  async #check(): Promise<void> {
    const { clock, random, onChecked, probe } = this.#options;
    const config = this.#config();
    const [at, begun] = [clock.now(), clock.ticks()];
    const result = await probe(this.#url, config, this.#stopped.signal).catch((error) =>
      failed(String(error)),
    );
    if (this.#stopped.signal.aborted) return;
    const duration = clock.ticks() - begun;
    this.#state = afterCheck(this.#state, result.ok, config);
    const delay = checkDelay(this.#state, config.interval, config.jitter, random());
    this.#cancel = clock.after(Math.max(0, delay - duration), () => void this.#check());
    onChecked({ ...result, url: this.#url, state: this.#state, at, duration });
  }
}
