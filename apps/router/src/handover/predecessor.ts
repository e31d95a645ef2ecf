import { Answers } from "../answers.ts";
import type { Channel } from "../channel.ts";
import { PREDECESSOR } from "../control/report-book.ts";
import type { Report } from "../core/report.ts";
import type { Snapshot } from "../core/snapshot.ts";
import { type Down, HANDOVER, type HandedOver, type Legacy, type Up } from "./messages.ts";

/** Milliseconds that a scrape waits for the old router's numbers before it takes its last ones. */
const COLLECT = 1000;

/** How this process talks to the router that it is to replace, over Node's IPC. */
export class Predecessor {
  readonly legacy: Legacy;
  readonly #listeners: ((report: Report) => void)[] = [];
  readonly #answers = new Answers<Down>();
  #report: Report | undefined;
  #workerReports: readonly Report[] = [];
  #follows = false;
  #questions = 0;
  #begun = false;
  #gone = false;
  readonly gone: Promise<void>;

  private constructor(legacy: Legacy) {
    this.legacy = legacy;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    const lost = () => {
      this.#gone = true;
      this.#answers.end();
      resolve();
    };
    process.on("message", (message) => this.#take(message as Down));
    if (process.connected) process.once("disconnect", lost);
    else lost();
  }

  /**
   * The router that started this process to have a successor; undefined where a user or a supervisor did. One that has
   * died since has left its sockets all the same: this process holds them, and nobody else can open their addresses.
   */
  static find(env: NodeJS.ProcessEnv = process.env): Predecessor | undefined {
    const text = env[HANDOVER];
    delete env[HANDOVER]; // no child is to take it for its own
    if (text === undefined) return undefined;
    return new Predecessor(JSON.parse(text) as Legacy);
  }

  /** Asks for the state. Undefined when the old router has died, which leaves what is on the disk. */
  async take(version: string, state: string | undefined): Promise<HandedOver | undefined> {
    const answer = this.#answers.first(({ kind }) => kind === "handed");
    this.#send({ kind: "ready", version, state });
    const message = await answer;
    return message?.kind === "handed" ? message.handed : undefined;
  }

  /** Says that this router serves; resolves once the old one takes nothing back any more. */
  async serves(): Promise<void> {
    const answer = this.#answers.first(({ kind }) => kind === "go");
    this.#send({ kind: "serves" });
    await answer;
  }

  /** The numbers of the old router are part of what `channel` reports, for as long as it finishes what it has. */
  join(
    channel: Channel,
    { report, workers, colors, workerReports = [] }: HandedOver,
    names: readonly string[],
  ): Channel {
    this.#report = report;
    this.#workerReports = workerReports;
    this.#follows = workers === undefined && colors.join() === names.join();
    return {
      publish: (snapshot) => {
        channel.publish(snapshot);
        this.#publish(snapshot);
      },
      onReport: (listener) => {
        channel.onReport(listener);
        this.#listeners.push(listener);
      },
      collect: async () => {
        await this.#collect();
        const own = await channel.collect(); // last: who is gone by the time that it is looked at is not there
        return this.#gone ? own : [...own, PREDECESSOR];
      },
    };
  }

  /** To be called once everybody listens: the first report says that its numbers are old news. */
  begin(): void {
    this.#begun = true;
    if (this.#report) this.#tell({ ...this.#current(), inherited: true });
    for (const report of this.#workerReports) this.#tell({ ...report, inherited: true });
  }

  /** Says why this process cannot take over. */
  failed(error: Error): Promise<void> {
    const message: Up = { kind: "failed", why: error.message };
    return new Promise((resolve) => {
      if (!process.connected) resolve();
      else process.send!(message, undefined, undefined, () => resolve());
    });
  }

  /** This process is to end, and must not be held by the other. */
  leave(): void {
    if (process.connected) process.disconnect();
  }

  #tell(report: Report): void {
    for (const listener of this.#listeners) listener(report);
  }

  #publish(snapshot: Snapshot): void {
    if (this.#follows) this.#send({ kind: "snapshot", snapshot });
  }

  async #collect(): Promise<void> {
    const question = ++this.#questions;
    const answer = this.#answers.first(
      (message) => message.kind === "report" && message.question === question,
      COLLECT,
    );
    this.#send({ kind: "collect", question });
    await answer;
  }

  /** One that cannot follow has nothing to acknowledge. */
  #current(): Report {
    const report = this.#report!;
    return this.#follows ? report : { ...report, epoch: Number.MAX_SAFE_INTEGER };
  }

  #take(message: Down): void {
    if (message.kind === "report") {
      this.#report = message.report;
      if (this.#begun) this.#tell(this.#current());
    }
    this.#answers.take(message);
  }

  #send(message: Up): void {
    if (process.connected) process.send!(message, undefined, undefined, () => {}); // it may have just gone
  }
}
