import type { Channel } from "../channel.ts";
import type { Report } from "../core/report.ts";
import type { Snapshot } from "../core/snapshot.ts";
import type { Link } from "./link.ts";

/** Milliseconds that a scrape waits for a worker before it takes its last report. */
const COLLECT = 1000;

/** The channel where each data plane is a process: messages down, messages up. */
export class WorkerChannel implements Channel {
  readonly #links: ReadonlyMap<number, Link>;
  readonly #listeners: ((report: Report) => void)[] = [];
  #newest: Snapshot | undefined;
  #open = false;
  /** Those that somebody else has. */
  #lent: readonly Link[] | undefined;

  constructor(links: ReadonlyMap<number, Link>) {
    this.#links = links;
  }

  /** Held back until {@link open}. */
  publish(snapshot: Snapshot): void {
    this.#newest = snapshot;
    if (this.#open) for (const link of this.#links.values()) link.send({ kind: "snapshot", snapshot });
  }

  /**
   * From now on workers get snapshots. Not before the first checks are done: those that serve already, by an earlier
   * control plane's last snapshot, must not be told that no target is up.
   */
  open(): void {
    this.#open = true;
    if (this.#newest) this.publish(this.#newest);
  }

  /** Goes on with the last reports while somebody else has the workers. */
  suspend(): void {
    this.#lent = [...this.#links.values()];
    this.#open = false;
  }

  resume(): void {
    this.#lent = undefined;
    this.open();
  }

  /** For a worker that has just come. */
  welcome(link: Link): void {
    if (this.#open && this.#newest) link.send({ kind: "snapshot", snapshot: this.#newest });
  }

  /** The newest epoch that workers were told. */
  get epoch(): number {
    return this.#open ? (this.#newest?.epoch ?? 0) : 0;
  }

  onReport(listener: (report: Report) => void): void {
    this.#listeners.push(listener);
  }

  /** A worker reports. One that was ended already does not: its sums are in those of the dead. */
  noted(report: Report, link: Link): void {
    if (link.gone) return;
    for (const listener of this.#listeners) listener(report);
  }

  async collect(): Promise<readonly number[]> {
    if (this.#lent) return this.#lent.map(({ id }) => id);
    const asked = [...this.#links.values()].filter(({ report }) => report !== undefined);
    await Promise.all(asked.map((link) => link.collect(COLLECT)));
    return [...this.#links.values()].flatMap(({ id, gone }) => (gone ? [] : [id]));
  }
}
