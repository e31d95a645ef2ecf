import type { FeedbackConfig } from "../../config/config.ts";
import type { Clock } from "../../core/clock.ts";
import { FeedbackMemory, type Remembered } from "../../core/feedback/memory.ts";
import type { Served } from "../../core/feedback/served.ts";
import type { Accuracy, ErrorSums } from "../../core/feedback/sums.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Log } from "../log.ts";
import { TruthEvidence, type TruthEvidenceOptions } from "./evidence.ts";
import { actualsOf, type FeedbackItem, ItemsError } from "./items.ts";
import type { FeedbackJournal } from "./journal.ts";
import { JustAnswered } from "./just-answered.ts";
import { actualLine, bookedLine, copyLine, readLine, servedLine } from "./lines.ts";

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
export interface Accepted {
  /** Items with at least one actual value that was not known. */
  readonly accepted: number;
  /** Items of which everything was known. */
  readonly repeated: number;
  /** Items whose request is not remembered: never seen, not sampled, or too old. */
  readonly unknown: number;
  /** Whether what was accepted would survive a power cut. */
  readonly saved: boolean;
}

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
    const { journal, log } = this.#options;
    if (journal === undefined) return;
    try {
      let damaged = 0;
      const parts = await journal.parts();
      for (const part of parts) {
        this.#memory.begin(part);
        for await (const lines of journal.read(part)) damaged += this.#restoreLines(lines);
      }
      this.#memory.begin((parts.at(-1) ?? 0) + 1);
      this.#memory.begin();
      this.#memory.totals.clear();
      const kept = new Set(this.#memory.parts.map(({ number }) => number));
      for (const part of parts) if (!kept.has(part)) await journal.remove(part);
      if (damaged > 0) log.warn({ lines: damaged }, "Lines of feedback were cut off and are left out.");
      if (this.#memory.size > 0) log.info({ requests: this.#memory.size }, "Remembered for feedback.");
    } catch (error) {
      log.error({ error: String(error) }, "What was remembered for feedback cannot be read.");
    }
  }

  /** Returns how many lines could not be read. Nothing becomes evidence a second time. */
  #restoreLines(lines: readonly string[]): number {
    const now = this.#options.clock.now();
    let damaged = 0;
    for (const line of lines) {
      const entry = readLine(line);
      if (entry === undefined) damaged++;
      else if (entry.kind === "served") this.#memory.note(entry.served, now, entry.trial);
      else if (entry.kind === "copy") {
        const request = this.#memory.noteCopy(entry.served, now);
        if (request) this.#memory.compare(request);
      } else {
        const request = this.#memory.find(entry.id, now);
        if (request && entry.kind === "booked") request.booked = true;
        else if (request && entry.kind === "actual") this.#memory.learn(request, entry.actuals);
      }
    }
    return damaged;
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
    const values = this.#check(items, found);
    const counted = { accepted: 0, repeated: 0, unknown: 0 };
    const news = new Map<Remembered, (number | null)[]>();
    for (const [i, request] of found.entries()) counted[take(request, values[i], news)]++;
    for (const [what, count] of Object.entries(counted)) this.counts[what as keyof typeof counted] += count;
    const saving = [...news].map(([request, actuals]) => this.#learn(request, actuals));
    return { ...counted, saved: saving.length === 0 || (await this.#saved(saving)) };
  }

  #check(items: readonly FeedbackItem[], found: readonly (Remembered | undefined)[]) {
    const problems: string[] = [];
    const values = items.map((item, i) => {
      const request = found[i];
      const fit = request && actualsOf(item, request.predictions.length);
      if (typeof fit === "string") problems.push(`feedback[${i}]${fit}`);
      return typeof fit === "string" ? undefined : fit;
    });
    if (problems.length === 0) return values;
    throw new ItemsError(problems);
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

/** Adds what is new in an item to the news of its request, and says what became of the item. */
function take(
  request: Remembered | undefined,
  values: readonly (number | null)[] | undefined,
  news: Map<Remembered, (number | null)[]>,
): "accepted" | "repeated" | "unknown" {
  if (request === undefined || values === undefined) return "unknown";
  const known = news.get(request) ?? request.predictions.map(() => null);
  const fresh = values.map(
    (value, row) => value !== null && known[row] === null && request.actuals?.[row] == null,
  );
  if (!fresh.includes(true)) return "repeated";
  news.set(
    request,
    known.map((value, row) => (fresh[row] ? values[row]! : value)),
  );
  return "accepted";
}
