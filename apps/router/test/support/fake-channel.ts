import type { Channel } from "../../src/channel.ts";
import type { ColorReport, Report } from "../../src/core/report.ts";
import { EMPTY_COLOR } from "../../src/core/report-sums.ts";
import type { Snapshot } from "../../src/core/snapshot.ts";

/** A data plane of workers that acknowledge at once, or when a test says so, and report what a test scripts. */
export class FakeChannel implements Channel {
  readonly published: Snapshot[] = [];
  acknowledges = true;
  readonly #listeners: ((report: Report) => void)[] = [];
  readonly #reports = new Map<number, Report>([[0, emptyReport(0)]]);

  publish(snapshot: Snapshot): void {
    this.published.push(snapshot);
    if (this.acknowledges) for (const worker of this.#reports.keys()) this.acknowledge(worker);
  }

  get last(): Snapshot {
    return this.published.at(-1)!;
  }

  acknowledge(worker = 0, epoch = this.last.epoch): void {
    this.#reports.set(worker, { ...this.#reports.get(worker)!, epoch });
  }

  onReport(listener: (report: Report) => void): void {
    this.#listeners.push(listener);
  }

  async collect(): Promise<readonly number[]> {
    for (const { served: _, ...again } of this.#reports.values()) this.#tell(again);
    return [...this.#reports.keys()];
  }

  /** Sets what a worker counts for some colors, without telling anybody. */
  count(colors: Readonly<Record<string, Partial<ColorReport>>>, worker = 0): void {
    const report = this.#reports.get(worker) ?? emptyReport(worker, this.published.at(-1)?.epoch);
    const counted = Object.entries(colors).map(([name, counts]) => [
      name,
      { ...(report.colors[name] ?? EMPTY_COLOR), ...counts },
    ]);
    this.#reports.set(worker, { ...report, colors: { ...report.colors, ...Object.fromEntries(counted) } });
  }

  /** A worker reports, as it does by itself. */
  report(worker = 0): void {
    this.#tell(this.#reports.get(worker)!);
  }

  #tell(report: Report): void {
    for (const listener of this.#listeners) listener(report);
  }

  /** Sets a worker's whole report, without telling anybody. */
  set(report: Report): void {
    this.#reports.set(report.worker, report);
  }

  remove(worker: number): void {
    this.#reports.delete(worker);
  }
}

function emptyReport(worker: number, epoch = 0): Report {
  return { worker, epoch, colors: {}, connections: 0 };
}
