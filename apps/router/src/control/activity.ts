import type { Clock } from "../core/clock.ts";
import { quantile } from "../core/quantile.ts";
import { type ColorReport, DURATION_BUCKETS } from "../core/report.ts";
import { countOf, EMPTY_COLOR } from "../core/report-sums.ts";

/** What a color did over about the last ten seconds. */
export interface Activity {
  /** Answers a second. */
  readonly rate: number;
  /** Share of answers with status 500 or above; null without any. */
  readonly error_ratio: number | null;
  /** Seconds; null without answers. */
  readonly p50: number | null;
  readonly p99: number | null;
}

interface Moment {
  readonly at: number;
  readonly totals: Readonly<Record<string, ColorReport>>;
}

const WINDOW = 10_000;
const TICK = 1000;

/** Remembers the sums of every second of the last ten, so that a status page can show rates. */
export class RecentActivity {
  readonly #totals: () => Record<string, ColorReport>;
  readonly #clock: Clock;
  #ring: Moment[];
  #cancel: () => void = () => {};

  constructor(totals: () => Record<string, ColorReport>, clock: Clock) {
    this.#totals = totals;
    this.#clock = clock;
    this.#ring = [this.#now()];
  }

  /** @param onTick called every second, after its sums were noted */
  start(onTick: () => void = () => {}): void {
    this.#cancel = this.#clock.after(TICK, () => {
      const now = this.#now();
      this.#ring = [...this.#ring.filter(({ at }) => now.at - at < WINDOW), now];
      onTick();
      this.start(onTick);
    });
  }

  stop(): void {
    this.#cancel();
  }

  /** Sums that were counted before have just come in: they are nothing that happened now. */
  forget(): void {
    this.#ring = [this.#now()];
  }

  /** Since the oldest second that is remembered. */
  of(color: string): Activity {
    const now = this.#now();
    const then = this.#ring[0]!;
    const [after, before] = [now.totals[color] ?? EMPTY_COLOR, then.totals[color] ?? EMPTY_COLOR];
    const answers = countOf(after.requests) - countOf(before.requests);
    const errors = countOf(after.requests, isError) - countOf(before.requests, isError);
    const buckets = after.duration.buckets.map((count, i) => count - before.duration.buckets[i]!);
    const at = (q: number) => quantile(q, DURATION_BUCKETS, buckets) ?? null;
    return {
      // within the first second after the start a rate would be mostly noise
      rate: answers / (Math.max(now.at - then.at, TICK) / 1000),
      error_ratio: answers > 0 ? errors / answers : null,
      p50: at(0.5),
      p99: at(0.99),
    };
  }

  #now(): Moment {
    return { at: this.#clock.ticks(), totals: this.#totals() };
  }
}

const isError = (methodAndCode: string) => Number(methodAndCode.slice(methodAndCode.indexOf(" ") + 1)) >= 500;
