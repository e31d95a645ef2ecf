import type { Report } from "./core/report.ts";
import type { Snapshot } from "./core/snapshot.ts";

/**
 * The only way between the planes: snapshots down, reports up. In one process it is a pair of calls; with worker
 * processes it is IPC; with several machines a replicated store.
 */
export interface Channel {
  /** Hands a snapshot to every worker. It is in force where a report acknowledges its epoch. */
  publish(snapshot: Snapshot): void;
  /** Called with every report: at once after a target's error or an emptied color, else a few times a second. */
  onReport(listener: (report: Report) => void): void;
  /**
   * Asks every worker for a fresh report, which the listeners are told like any other; resolves with the numbers of the
   * workers that are there. For scrapes and status pages.
   */
  collect(): Promise<readonly number[]>;
}
