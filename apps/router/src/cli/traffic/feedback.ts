import { setTimeout } from "node:timers/promises";
import type { AdminClient } from "../admin-client.ts";
import { BATCH, postFeedback } from "../feedback/post.ts";

/** Milliseconds between two calls. */
const PAUSE = 250;
/** Items that wait at most; a router that takes no feedback must not fill our memory. */
const MOST_WAITING = 200_000;

/** Milliseconds after which a router knows what it has answered; feedback before that would be about an unknown request. */
const NOTED = 1000;

interface Item {
  readonly request_id: string;
  readonly actual: number | readonly number[];
}

export interface FeedbackSummary {
  /** Requests whose actual fares the router has taken. */
  readonly accepted: number;
  /** Requests that it did not remember: it keeps a sample, and forgets. */
  readonly unknown: number;
  /** Requests whose fares could not be posted. */
  readonly failed: number;
  /** The first reason. */
  readonly error: string | null;
}

/** Posts what trips really cost, some time after they were predicted. */
export class FeedbackPoster {
  readonly #admin: AdminClient;
  readonly #delay: number;
  readonly #waiting: { readonly item: Item; readonly due: number }[] = [];
  readonly #timer: NodeJS.Timeout;
  #posting: Promise<void> | undefined;
  #accepted = 0;
  #unknown = 0;
  #failed = 0;
  #error: string | null = null;

  /** @param delay milliseconds */
  constructor(admin: AdminClient, delay: number) {
    this.#admin = admin;
    this.#delay = delay;
    this.#timer = setInterval(() => void this.#due(), PAUSE);
  }

  add(request_id: string, fares: readonly number[]): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#fail(1, "too many were waiting");
      return;
    }
    const actual = fares.length === 1 ? fares[0]! : fares;
    this.#waiting.push({ item: { request_id, actual }, due: performance.now() + this.#delay });
  }

  /** Posts what is left: at once, but for what the router may not have noted yet. */
  async end(): Promise<FeedbackSummary> {
    clearInterval(this.#timer);
    await this.#posting;
    const newest = this.#waiting.at(-1);
    const noted = (newest?.due ?? 0) - this.#delay + Math.min(this.#delay, NOTED);
    await setTimeout(Math.max(0, noted - performance.now()));
    while (this.#waiting.length > 0) await this.#post(this.#waiting.length);
    return {
      accepted: this.#accepted,
      unknown: this.#unknown,
      failed: this.#failed,
      error: this.#error,
    };
  }

  async #due(): Promise<void> {
    if (this.#posting) return;
    const now = performance.now();
    const later = this.#waiting.findIndex(({ due }) => due > now);
    const count = later < 0 ? this.#waiting.length : later;
    if (count === 0) return;
    this.#posting = this.#post(count);
    await this.#posting;
    this.#posting = undefined;
  }

  async #post(count: number): Promise<void> {
    const feedback = this.#waiting.splice(0, Math.min(count, BATCH)).map(({ item }) => item);
    try {
      const { accepted, unknown } = await postFeedback(this.#admin, feedback);
      this.#accepted += accepted;
      this.#unknown += unknown;
    } catch (error) {
      this.#fail(feedback.length, (error as Error).message);
    }
  }

  #fail(count: number, reason: string): void {
    this.#failed += count;
    this.#error ??= reason;
  }
}
