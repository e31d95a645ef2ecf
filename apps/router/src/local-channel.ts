import type { Channel } from "./channel.ts";
import type { Report } from "./core/report.ts";
import type { Snapshot } from "./core/snapshot.ts";
import type { DataPlane } from "./proxy/data-plane.ts";

/** How often a report goes up when nothing is urgent, in milliseconds. */
const REPORT_INTERVAL = 250;

/** The channel where both planes share a process: a call down, a call up. */
export class LocalChannel implements Channel {
  readonly #plane: DataPlane;
  readonly #read: (plane: DataPlane) => Report;
  readonly #listeners: ((report: Report) => void)[] = [];
  readonly #timer: NodeJS.Timeout;
  #scheduled = false;

  /** @param read what is told in a report. Default: everything */
  constructor(plane: DataPlane, read = withServed) {
    this.#plane = plane;
    this.#read = read;
    plane.onUrgent = () => this.#soon();
    this.#timer = setInterval(() => this.#report(), REPORT_INTERVAL);
    this.#timer.unref();
  }

  publish(snapshot: Snapshot): void {
    this.#plane.serve(snapshot);
    this.#soon();
  }

  onReport(listener: (report: Report) => void): void {
    this.#listeners.push(listener);
  }

  collect(): Promise<readonly number[]> {
    return Promise.resolve([this.#report().worker]);
  }

  /** Reports at once: nothing is to wait in the data plane any more. */
  flush(): void {
    this.#report();
  }

  /** No report goes up any more, neither one that was on its way. */
  close(): void {
    this.#listeners.length = 0;
    clearInterval(this.#timer);
  }

  /** Many errors in one turn make one report. */
  #soon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#report();
    });
  }

  #report(): Report {
    const report = this.#read(this.#plane);
    for (const listener of this.#listeners) listener(report);
    return report;
  }
}

/** A report with what was predicted since the last one. */
export function withServed(plane: DataPlane): Report {
  const report = plane.report(); // first: it has the answers read that wait for it
  const served = plane.served.take();
  return { ...report, ...(served.length > 0 ? { served } : {}) };
}
