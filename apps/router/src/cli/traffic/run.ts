import { randomUUID } from "node:crypto";
import type { AdminClient } from "../admin-client.ts";
import { FeedbackPoster, type FeedbackSummary } from "./feedback.ts";
import { type Progress, progressOn } from "./progress.ts";
import { Sender } from "./send.ts";
import { type ColorSummary, Tally } from "./tally.ts";
import { TripSource } from "./trips.ts";

export interface TrafficPlan {
  readonly csv: string;
  readonly rps: number;
  readonly url: string;
  /** Milliseconds. */
  readonly duration: number | undefined;
  readonly requests: number | undefined;
  readonly loop: boolean;
  readonly seed: number | undefined;
  /** Trips in one request. */
  readonly batch: number;
  /** Milliseconds that an answer may take. */
  readonly timeout: number;
  readonly feedback: { readonly admin: AdminClient; readonly delay: number } | undefined;
}

export interface TrafficSummary extends ColorSummary {
  /** From the first request to the last answer. */
  readonly seconds: number;
  /** Rows of the file that were left out. */
  readonly dropped: number;
  /** Requests without a whole answer, by reason. */
  readonly errors: Readonly<Record<string, number>>;
  /** By the color that answered; `none`: none did. */
  readonly colors: Readonly<Record<string, ColorSummary>>;
  readonly feedback: FeedbackSummary | null;
}

/** How often it is looked whether requests are due, in milliseconds: a timer is no finer. */
const TICK = 1;

/** Replays a file's trips until its end, or until the plan or a signal ends it. @throws CliError about the file */
export async function replayTrips(plan: TrafficPlan): Promise<TrafficSummary> {
  const source = await TripSource.read(plan.csv, plan.seed);
  const total = totalOf(plan, source.length);
  const progress = progressOn(process.stderr, total);
  const run = new Run(plan, source, total, progress);
  const stop = (signal: NodeJS.Signals) => {
    if (run.stopping) process.exit(signal === "SIGINT" ? 130 : 143);
    run.stop();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  try {
    return await run.finished;
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

/** How many requests there will be; undefined: until somebody ends it. */
function totalOf({ requests, duration, rps, batch, loop }: TrafficPlan, trips: number): number | undefined {
  const bounds = [
    requests,
    duration === undefined ? undefined : Math.max(1, Math.floor((duration / 1000) * rps)),
    loop ? undefined : Math.ceil(trips / batch),
  ].filter((bound) => bound !== undefined);
  return bounds.length === 0 ? undefined : Math.min(...bounds);
}

/** An open loop: requests are sent when they are due, whether or not earlier ones were answered. */
class Run {
  readonly finished: Promise<TrafficSummary>;
  readonly #plan: TrafficPlan;
  readonly #source: TripSource;
  readonly #total: number;
  readonly #progress: Progress;
  readonly #sender: Sender;
  readonly #feedback: FeedbackPoster | undefined;
  readonly #all = new Tally();
  readonly #colors = new Map<string, Tally>();
  readonly #name = randomUUID().slice(0, 8);
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #resolve: (summary: Promise<TrafficSummary>) => void;
  #sent = 0;
  stopping = false;

  constructor(plan: TrafficPlan, source: TripSource, total: number | undefined, progress: Progress) {
    const { promise, resolve } = Promise.withResolvers<TrafficSummary>();
    this.finished = promise;
    this.#resolve = resolve;
    this.#plan = plan;
    this.#source = source;
    this.#total = total ?? Number.POSITIVE_INFINITY;
    this.#progress = progress;
    this.#sender = new Sender(plan.url, plan.timeout);
    this.#feedback = plan.feedback && new FeedbackPoster(plan.feedback.admin, plan.feedback.delay);
    this.#timer = setInterval(() => this.#tick(), TICK);
  }

  /** Sends no more; what is under way is still waited for. */
  stop(): void {
    this.stopping = true;
    clearInterval(this.#timer);
    this.#endIfDone();
  }

  #tick(): void {
    const due = Math.floor(((performance.now() - this.#began) / 1000) * this.#plan.rps) + 1;
    while (this.#sent < Math.min(due, this.#total)) void this.#send(this.#sent++);
    if (this.#sent >= this.#total) this.stop();
  }

  async #send(i: number): Promise<void> {
    const dueAt = this.#began + (i / this.#plan.rps) * 1000;
    const { batch, loop } = this.#plan;
    const first = i * batch;
    const rows = loop ? batch : Math.min(batch, this.#source.length - first);
    const trips = Array.from({ length: rows }, (_, row) => this.#source.at(first + row));
    const body = JSON.stringify({ data: trips.map(({ trip }) => trip) });
    const id = `traffic-${this.#name}-${i + 1}`;
    const sent = await this.#sender.send(body, id);
    const took = performance.now() - dueAt;
    this.#all.add(sent, took);
    this.#color(sent.color).add(sent, took);
    if (sent.status >= 200 && sent.status <= 299)
      this.#feedback?.add(
        sent.id ?? id,
        trips.map(({ fare }) => fare),
      );
    this.#progress.update(this.#all, this.#colors);
    this.#endIfDone();
  }

  #color(name: string): Tally {
    let tally = this.#colors.get(name);
    if (tally === undefined) {
      tally = new Tally();
      this.#colors.set(name, tally);
    }
    return tally;
  }

  #endIfDone(): void {
    if (this.stopping && this.#all.requests === this.#sent) this.#resolve(this.#summary());
  }

  async #summary(): Promise<TrafficSummary> {
    const seconds = Math.round(performance.now() - this.#began) / 1000;
    this.#sender.close();
    this.#progress.end();
    const feedback = (await this.#feedback?.end()) ?? null;
    const colors = [...this.#colors].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      ...this.#all.summary(),
      seconds,
      dropped: this.#source.dropped,
      errors: this.#all.errors,
      colors: Object.fromEntries(colors.map(([name, tally]) => [name, tally.summary()])),
      feedback,
    };
  }
}
