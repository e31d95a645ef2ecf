import type { PassiveConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { type ErrorCount, growth, mayBeEjected, totalErrors, within } from "../core/passive.ts";
import type { Report } from "../core/report.ts";

export interface PassiveOptions {
  readonly config: PassiveConfig;
  readonly clock: Clock;
  /** Called when a target begins or ends to sit out. */
  readonly onEjection: (url: string, ejected: boolean, errors: number) => void;
}

/** Makes targets sit out whose answers to real requests were errors too often within the window. */
export class PassiveEjection {
  readonly #options: PassiveOptions;
  /** Cumulative errors by worker, color and URL, as last reported. */
  readonly #seen = new Map<string, number>();
  readonly #errors = new Map<string, readonly ErrorCount[]>();
  /** What cancels the return, by the URL of a target that sits out. */
  readonly #ejected = new Map<string, () => void>();
  #urls: readonly string[] = [];
  #config: PassiveConfig;

  constructor(options: PassiveOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  /** All targets that there are. What is known of others is forgotten. */
  sync(urls: readonly string[]): void {
    this.#urls = urls;
    for (const [url, cancel] of this.#ejected) {
      if (urls.includes(url)) continue;
      cancel();
      this.#ejected.delete(url);
    }
    for (const url of this.#errors.keys()) if (!urls.includes(url)) this.#errors.delete(url);
  }

  /** New settings; whoever sits out now does so for as long as was said. */
  configure(config: PassiveConfig): void {
    this.#config = config;
  }

  isEjected(url: string): boolean {
    return this.#ejected.has(url);
  }

  onReport({ worker, colors, inherited }: Report): void {
    for (const [color, { targets }] of Object.entries(colors)) {
      for (const [url, { errors }] of Object.entries(targets)) {
        const key = `${worker} ${color} ${url}`;
        const grown = growth(this.#seen.get(key), errors);
        this.#seen.set(key, errors);
        if (grown > 0 && !inherited) this.#charge(url, grown);
      }
    }
  }

  /** Errors of a target that sits out came from requests sent before: they count for nothing. */
  #charge(url: string, errors: number): void {
    if (!this.#urls.includes(url) || this.#ejected.has(url)) return;
    const now = this.#options.clock.ticks();
    const counts = within([...(this.#errors.get(url) ?? []), { at: now, errors }], now, this.#config.window);
    this.#errors.set(url, counts);
    const total = totalErrors(counts);
    const allowed = mayBeEjected(this.#urls.length, this.#config.max_ejected);
    if (total >= this.#config.errors && this.#ejected.size < allowed) this.#eject(url, total);
  }

  #eject(url: string, errors: number): void {
    const { clock, onEjection } = this.#options;
    this.#errors.delete(url);
    const cancel = clock.after(this.#config.ejection, () => {
      this.#ejected.delete(url);
      onEjection(url, false, 0);
    });
    this.#ejected.set(url, cancel);
    onEjection(url, true, errors);
  }

  stop(): void {
    this.sync([]);
  }
}
