import type { FeedbackConfig } from "../../config/config.ts";
import type { Clock } from "../../core/clock.ts";
import { FeedbackMemory } from "../../core/feedback/memory.ts";
import type { Remembered } from "../../core/feedback/remembered.ts";
import type { Served } from "../../core/feedback/served.ts";
import type { Accuracy, ErrorSums } from "../../core/feedback/sums.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Log } from "../log.ts";
import { TruthEvidence, type TruthEvidenceOptions } from "./evidence.ts";
import type { FeedbackItem } from "./items.ts";
import type { FeedbackJournal } from "./journal.ts";
import { JustAnswered } from "./just-answered.ts";
import { actualLine, bookedLine, copyLine, servedLine } from "./lines.ts";
import { restoreMemory } from "./restore.ts";
import { type Sorted, sortOut } from "./sort-out.ts";

export interface FeedbackOptions {
  readonly config: FeedbackConfig | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined where nothing outlives the process. */
  readonly journal: FeedbackJournal | undefined;
  /** What a color runs, for answers that do not say so; empty where that is not known. */
  readonly digestOf: (color: string) => string;
  /** What becomes of the rollout that is judged now. */
  readonly evidence: TruthEvidenceOptions;
  /** Has every worker report now. */
  readonly refresh: () => Promise<void>;
}

/** What became of the items of a call. */
export type Accepted = Sorted["counted"] & {
  /** Whether what was accepted would survive a power cut. */
  readonly saved: boolean;
};

/** Milliseconds that an answer waits for the disk. */
const SAVE_WAIT = 2000;
/** Records that a router keeps for its successor while it finishes what it has. */
const MAX_FORWARD = 16_384;
/** Actual values below which nothing is said about how errors are spread. */
const LEAST_ERRORS = 100;
const PARTS = 8;

const HANDING_OVER = "An upgrade is under way, and nothing was taken: send it again in a second.";

/** Delayed truth: what was predicted, what turned out to be so, and how far apart the two are. */
export class Feedback {
  /** What became of all items since the start. */
  readonly counts = { accepted: 0, repeated: 0, unknown: 0, malformed: 0 };
  readonly #options: FeedbackOptions;
  readonly #memory: FeedbackMemory;
  readonly #evidence: TruthEvidence;
  readonly #justAnswered: JustAnswered;
  #config: FeedbackConfig | undefined;
  #mode: "open" | "held" | "given" = "open";
  #forward: Served[] = [];
  #cancel: (() => void) | undefined;

  constructor(options: FeedbackOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#memory = new FeedbackMemory(options.config ?? { remember: 1, max: 1 });
    this.#evidence = new TruthEvidence(options.evidence, this.#memory);
    this.#justAnswered = new JustAnswered(options.refresh);
    this.#memory.onForget = (part) => void options.journal?.remove(part);
    this.#watch();
  }

  /** Reads what an earlier process remembered. A disk that cannot be read costs that, and no more. */
  async restore(): Promise<void> {
    const { journal, log, clock } = this.#options;
    if (journal !== undefined) await restoreMemory(this.#memory, { journal, log, clock });
  }

  /** Requests that were answered, and copies of some. */
  note(all: readonly Served[]): void {
    if (this.#mode === "given") {
      this.#forward.push(...all.slice(0, MAX_FORWARD - this.#forward.length));
      return;
    }
    if (this.#config === undefined) return;
    for (const served of all) this.#note(this.#known(served));
  }

  #known(served: Served): Served {
    return served.digest === "" ? { ...served, digest: this.#options.digestOf(served.color) } : served;
  }

  #note(served: Served): void {
    const { clock, journal } = this.#options;
    const now = clock.now();
    if (served.shadow) {
      const request = this.#memory.noteCopy(served, now);
      if (request === undefined) return;
      this.#memory.compare(request);
      journal?.append(request.segment.number, copyLine(request));
      this.#book(request);
      return;
    }
    const request = this.#memory.note(served, now, this.#evidence.trialOf(served));
    if (request) journal?.append(request.segment.number, servedLine(request));
  }

  /** To be called often: pairs that were known before a rollout began are part of its evidence. */
  sync(): void {
    if (this.#mode !== "open" || !this.#evidence.turned()) return;
    for (const request of this.#memory.requests()) this.#book(request);
  }

  /**
   * Takes actual values: all items, or none. Of a row the first one counts.
   * @throws ItemsError some items do not fit their requests; nothing was taken
   * @throws Refusal another program is taking this router's place
   */
  async accept(items: readonly FeedbackItem[]): Promise<Accepted> {
    const { clock } = this.#options;
    if (items.some(({ id }) => this.#memory.find(id, clock.now()) === undefined))
      await this.#justAnswered.told();
    if (this.#mode !== "open") throw new Refusal("handing_over", HANDING_OVER);
    this.sync();
    const now = clock.now();
    const found = items.map(({ id }) => this.#memory.find(id, now));
    const { counted, news } = sortOut(items, found);
    for (const [what, count] of Object.entries(counted)) this.counts[what as keyof typeof counted] += count;
    const saving = [...news].map(([request, actuals]) => this.#learn(request, actuals));
    return { ...counted, saved: saving.length === 0 || (await this.#saved(saving)) };
  }

  #learn(request: Remembered, actuals: readonly (number | null)[]): Promise<void> {
    const first = this.#memory.learn(request, actuals) !== undefined;
    return new Promise((resolve) => {
      this.#save(request, actualLine(request.id, actuals), () => {
        if (first) this.#evidence.error(request);
        resolve();
      });
      this.#book(request);
    });
  }

  #book(request: Remembered): void {
    if (!this.#evidence.mayBook(request)) return;
    request.booked = true;
    this.#save(request, bookedLine(request.id), () => this.#evidence.book(request));
  }

  /** What becomes evidence must not do so again after a restart, so it is on the disk first. */
  #save(request: Remembered, line: string, onSaved: () => void): void {
    const { journal } = this.#options;
    if (journal === undefined) onSaved();
    else journal.append(request.segment.number, line, onSaved);
  }

  #saved(saving: readonly Promise<void>[]): Promise<boolean> {
    void this.#options.journal?.flush();
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(SAVE_WAIT, () => resolve(false));
      void Promise.all(saving).then(() => {
        cancel();
        resolve(true);
      });
    });
  }

  /** Undefined where the configuration remembers nothing. */
  get limits(): FeedbackConfig | undefined {
    return this.#config;
  }

  /** Requests that are remembered now. */
  get size(): number {
    return this.#memory.size;
  }

  /** Lines that the disk did not take. */
  get unsaved(): number {
    return this.#options.journal?.dropped ?? 0;
  }

  /** Errors of each version, over what is remembered. */
  accuracy(): Accuracy[] {
    return this.#memory.accuracy();
  }

  /** Of what a color runs now, without shadows. */
  live(color: string): Accuracy | undefined {
    const digest = this.#options.digestOf(color);
    return this.accuracy().find((one) => one.color === color && one.digest === digest && !one.shadow);
  }

  /** Errors of what each color answered to clients, since the start. */
  get totals(): ReadonlyMap<string, Readonly<ErrorSums>> {
    return this.#memory.totals;
  }

  /**
   * Below which absolute error the share `q` (0 to 1) of a version's requests lie, as far as they are remembered; undefined
   * while fewer than 100 are known.
   */
  errorQuantile(digest: string, q: number): number | undefined {
    const errors = this.#memory.errorsOf(digest).sort((a, b) => a - b);
    return errors.length < LEAST_ERRORS ? undefined : errors[Math.ceil(q * errors.length) - 1];
  }

  configure(config: FeedbackConfig | undefined): void {
    this.#config = config;
    this.#memory.configure(config ?? { remember: 1, max: 0 }, this.#options.clock.now());
    this.#watch();
  }

  #watch(): void {
    const { clock } = this.#options;
    this.#cancel?.();
    const every = Math.max(1000, (this.#config?.remember ?? 0) / PARTS);
    this.#cancel = clock.after(every, () => {
      this.#memory.forget(clock.now());
      this.#watch();
    });
  }

  /** Refuses what comes until {@link open}: the router before this one may still take everything back. */
  hold(): void {
    this.#mode = "held";
  }

  open(): void {
    this.#mode = "open";
  }

  /** Saves all, and takes no more: another router has the folder. */
  async give(): Promise<void> {
    this.#mode = "given";
    await this.#options.journal?.close();
  }

  /** What was answered since {@link give}, for the other router. */
  forward(): readonly Served[] {
    return this.#forward.splice(0);
  }

  /** After {@link give}: goes on. */
  takeBack(): void {
    this.#options.journal?.reopen();
    this.#mode = "open";
    this.note(this.forward());
  }

  async close(): Promise<void> {
    this.#cancel?.();
    if (this.#mode !== "given") await this.#options.journal?.close();
  }
}
