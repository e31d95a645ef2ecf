import { Refusal } from "../../core/refusal.ts";
import type { RolloutCommand } from "../../core/rollout/command.ts";
import { isDone, isOver, type RolloutState } from "../../core/rollout/state.ts";
import type { RolloutReading } from "../../metrics/rollout-metrics.ts";
import type { RecentActivity } from "../activity.ts";
import type { Store } from "../store.ts";
import { whyRefused, words } from "./changes-by-hand.ts";
import { CurrentRollout, type CurrentRolloutOptions } from "./current-rollout.ts";
import { isClosed } from "./facts.ts";
import { whyTooLate } from "./late-abort.ts";
import { Looks } from "./looks.ts";
import { type Asked, type NewRolloutOptions, newRollout } from "./new-rollout.ts";
import type { EvidenceSink } from "./ports.ts";
import { type ReleaseRecord, recordOf } from "./record.ts";
import type { Releases } from "./releases.ts";
import type { RolloutRequest } from "./request.ts";
import { Runner, type RunnerOptions } from "./runner.ts";
import { type RolloutSummary, readingOf, summaryOf } from "./summary.ts";

/** How long the answer to a command waits for the disk, in milliseconds: what was said is in force meanwhile. */
const SAVE_WAIT = 2000;

export interface RolloutsOptions
  extends Omit<RunnerOptions, "current" | "onDone">,
    Omit<CurrentRolloutOptions, "rateOf">,
    Omit<NewRolloutOptions, "store"> {
  readonly store: Store;
  readonly activity: RecentActivity;
  readonly releases: Releases;
}

/** Rollouts, one at a time: begins them, says to them what people say, and shows them, also those that are over. */
export class Rollouts {
  readonly #options: RolloutsOptions;
  readonly #current: CurrentRollout;
  readonly #runner: Runner;
  readonly #looks: Looks;

  constructor(options: RolloutsOptions) {
    const { store, book, activity } = options;
    this.#options = options;
    const current = new CurrentRollout({ ...options, rateOf: (color) => activity.of(color).rate });
    const runner = new Runner({ ...options, current, onDone: () => this.#keep() });
    this.#looks = new Looks({ ...options, isDone: () => current.isDone, look: () => runner.look() });
    this.#current = current;
    this.#runner = runner;
    book.onReport((report) => current.count(report));
    store.onChange((entry) => runner.changed(entry));
    store.lockBy(({ kind }, meta) => whyRefused(current.state, kind, meta));
  }

  /** Before the first snapshot: goes on with what was saved, or handed over. @throws StartError */
  async load(handed: string | undefined, records: readonly ReleaseRecord[] = []): Promise<void> {
    const { releases, clock } = this.#options;
    await releases.load(clock.now(), records);
    await this.#current.load(handed);
    const { state } = this.#current;
    if (state === undefined) return;
    if (!isDone(state)) this.#runner.show();
    else if (releases.get(state.id) === undefined) this.#keep();
  }

  /** Begins to look. `held`: until {@link open} nothing is decided. */
  start(held: boolean): void {
    this.#looks.start(held);
  }

  open(): void {
    this.#looks.open();
  }

  /** Ends looking, saves, and leaves the folder alone. Resolves with all there is to go on from. */
  async give(): Promise<string> {
    this.#looks.give();
    this.#runner.stop();
    if (this.#current.entry !== undefined) await this.#current.saving.now().catch(() => {});
    return this.#current.text;
  }

  takeBack(): void {
    this.#looks.takeBack();
  }

  /** Ends looking, and saves what is owed, unless it was given away. */
  async stop(): Promise<void> {
    if (!this.#looks.isGiven) await this.give();
  }

  /** @throws Refusal, HttpProblem nothing has changed */
  async begin(request: RolloutRequest, asked: Asked): Promise<ReleaseRecord> {
    const { state } = this.#current;
    if (!this.#current.isDone) {
      const { id, hook } = state!;
      const rest = hook && isOver(state!) ? `, and its hook ${hook.name} is still under way` : "";
      throw new Refusal("rollout_runs", `The rollout ${id} is ${words(state!)}${rest}; one runs at a time.`);
    }
    this.#looks.mustBeOpen();
    await this.#current.begin(newRollout(this.#options, request, asked));
    this.#runner.begin();
    this.#looks.goOn();
    return this.record("current")!;
  }

  /** @throws Refusal it is not possible in this phase; nothing has changed */
  async command(given: RolloutCommand): Promise<{ readonly saved: boolean }> {
    this.#looks.mustBeOpen();
    if (given.kind === "abort") this.#mustNotBeLate();
    this.#runner.say(given);
    if (given.kind !== "abort") this.#runner.look(); // or the answer would still say that approval is waited for
    this.#looks.goOn();
    const saved = await this.#current.saving.within(SAVE_WAIT);
    return { saved: given.kind === "abort" ? (await this.#runner.isBackSaved) && saved : saved };
  }

  /** @throws Refusal the promotion is over, and cannot be taken back without harm */
  #mustNotBeLate(): void {
    const { state } = this.#current;
    const why = state && whyTooLate(this.#options, state);
    if (why !== undefined) throw new Refusal("rollout_not_possible", why);
  }

  /** For evidence that is computed in the control plane. */
  get sink(): EvidenceSink {
    return this.#current.sink;
  }

  /** The newest rollout's state; undefined before the first. */
  get state(): RolloutState | undefined {
    return this.#current.state;
  }

  /** True while one is not over. */
  get isRunning(): boolean {
    return this.#current.isRunning;
  }

  /** The one that is not over, for `GET /admin/state`. */
  get summary(): RolloutSummary | undefined {
    const { state, verdict } = this.#current;
    return state === undefined || isDone(state) ? undefined : summaryOf(state, verdict!);
  }

  /** For metrics. */
  get reading(): RolloutReading {
    return readingOf(this.#current.state, this.#current.verdict, this.#runner.news.decisions);
  }

  /** The newest rollout, or one that is kept; `current` is the newest. */
  record(id: string): ReleaseRecord | undefined {
    const { entry, verdict, evidence, own, requests } = this.#current;
    if (entry === undefined || (id !== "current" && id !== entry.state.id)) {
      return id === "current" ? this.#options.releases.all[0] : this.#options.releases.get(id);
    }
    const closed = isClosed(this.#options);
    const decidedOn = entry.decidedOn ?? evidence;
    return recordOf({ entry, verdict: verdict!, own, requests, closed, evidence: decidedOn });
  }

  /** All that are known, the newest first. */
  get all(): readonly ReleaseRecord[] {
    const current = this.record("current");
    const kept = this.#options.releases.all.filter(({ id }) => id !== current?.id);
    return current === undefined ? kept : [current, ...kept];
  }

  /** Records for a router that finds no folder of them. */
  get records(): readonly ReleaseRecord[] {
    return this.#options.releases.handed;
  }

  #keep(): void {
    void this.#options.releases.keep(this.record("current")!, this.#options.clock.now());
  }
}
