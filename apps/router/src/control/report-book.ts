import type { Channel } from "../channel.ts";
import type { ColorReport, Report } from "../core/report.ts";
import { addSums, beganAnew, type ColorSums, settled } from "../core/report-sums.ts";

/** The number under which the router before this one reports what it still finishes, and what was counted before. */
export const PREDECESSOR = -1;

type Listener = (report: Report) => void;

interface Noted {
  readonly report: Report;
  /** Which of all reports it was. */
  readonly nth: number;
}

/** The newest report of every worker, and the sums of those that are gone, so that no counter ever goes backwards. */
export class ReportBook {
  readonly #channel: Channel;
  readonly #listeners = new Set<Listener>();
  readonly #latest = new Map<number, Noted>();
  #gone: ColorSums = {};
  #noted = 0;

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.onReport((report) => {
      this.#note(report);
      for (const listener of [...this.#listeners]) listener(report);
    });
  }

  /** Called with every report; the returned function ends that. */
  onReport(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Asks all workers, and forgets those that are gone but for their sums. Their answers come like any other report, one
   * after the other.
   */
  async refresh(): Promise<void> {
    const asked = this.#noted;
    const alive = new Set(await this.#channel.collect());
    for (const [worker, { report, nth }] of this.#latest) {
      if (alive.has(worker) || nth > asked) continue;
      this.#retire(report);
      this.#latest.delete(worker);
    }
  }

  #note(report: Report): void {
    const before = this.#latest.get(report.worker)?.report;
    if (before !== undefined && beganAnew(before, report)) this.#retire(before);
    const { served: _, ...sums } = report; // whoever wants them has been told, and they are large
    this.#latest.set(report.worker, { report: sums, nth: ++this.#noted });
  }

  #retire(report: Report): void {
    this.#gone = addSums([this.#gone, settled(report.colors)]);
  }

  /** Sums over all workers since the control plane began, by color; `none` counts answers that no color gave. */
  totals(): Record<string, ColorReport> {
    return addSums([this.#gone, ...this.#reports().map(({ colors }) => colors)]);
  }

  /**
   * What another control plane has to count on from: everything but these workers' own, which it will hear from
   * themselves. Its epoch is the oldest that anybody in it serves by.
   */
  summary(without: readonly number[]): Report {
    const reports = this.#reports().filter(({ worker }) => !without.includes(worker));
    return {
      worker: PREDECESSOR,
      epoch: Math.min(Number.MAX_SAFE_INTEGER, ...reports.map(({ epoch }) => epoch)),
      colors: addSums([this.#gone, ...reports.map(({ colors }) => colors)]),
      connections: reports.reduce((sum, { connections }) => sum + connections, 0),
      runs: reports.flatMap(({ runs = [] }) => runs),
    };
  }

  /** True when there are workers and every one serves by this epoch or a later one. */
  acknowledged(epoch: number): boolean {
    const reports = this.#reports();
    return reports.length > 0 && reports.every((report) => report.epoch >= epoch);
  }

  /** What is in flight per color, of the colors that are asked for. */
  inFlight(colors: readonly string[]): Record<string, number> {
    return this.#count(colors, ({ inFlight }) => inFlight);
  }

  /** The same of tunnels and event streams. */
  tunnels(colors: readonly string[]): Record<string, number> {
    return this.#count(colors, ({ tunnels }) => tunnels ?? 0);
  }

  #count(names: readonly string[], read: (report: ColorReport) => number): Record<string, number> {
    const reports = this.#reports();
    const count = (name: string) =>
      reports.reduce((sum, { colors }) => sum + (colors[name] ? read(colors[name]) : 0), 0);
    return Object.fromEntries(names.map((name) => [name, count(name)]));
  }

  /** Client connections that are open now. */
  connections(): number {
    return this.#reports().reduce((sum, { connections }) => sum + connections, 0);
  }

  /** The newest report of every worker. */
  workers(): readonly Report[] {
    return this.#reports();
  }

  #reports(): Report[] {
    return [...this.#latest.values()].map(({ report }) => report);
  }
}
