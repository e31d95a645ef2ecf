import { randomBytes } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import type { Reference } from "../../core/evidence/prediction-drift.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Report } from "../../core/report.ts";
import { afterGap } from "../../core/rollout/change.ts";
import { command, type RolloutCommand } from "../../core/rollout/command.ts";
import type { RolloutView } from "../../core/rollout/counting.ts";
import { startRollout } from "../../core/rollout/start.ts";
import { type Advance, type Facts, isDone, isOver, type RolloutState } from "../../core/rollout/state.ts";
import { tick } from "../../core/rollout/tick.ts";
import { leavesWeights } from "../../core/transitions.ts";
import { judge, type Verdict } from "../../core/verdict/verdict.ts";
import { shares, type Weights } from "../../core/weights.ts";
import type { RolloutReading } from "../../metrics/rollout-metrics.ts";
import type { RecentActivity } from "../activity.ts";
import type { EventHub } from "../events.ts";
import type { HistoryEntry, Meta } from "../history.ts";
import type { Log } from "../log.ts";
import type { ReportBook } from "../report-book.ts";
import type { Store } from "../store.ts";
import type { TargetWatch } from "../target-watch.ts";
import { isDecided, type RolloutEntry, viewOf } from "./entry.ts";
import { isClosed, worldFacts } from "./facts.ts";
import { GateRun } from "./gate-run.ts";
import { HookRun } from "./hook-run.ts";
import { Ledger } from "./ledger.ts";
import { News } from "./news.ts";
import type { EvidenceSink, Gate, GuardKind, Hooks, RolloutContext } from "./ports.ts";
import { type ReleaseRecord, recordOf } from "./record.ts";
import type { Releases } from "./releases.ts";
import { planOf, type RolloutRequest } from "./request.ts";
import {
  deserializeRollouts,
  type RolloutStorage,
  type SavedRollouts,
  serializeRollouts,
} from "./rollout-file.ts";
import { Saving } from "./saving.ts";
import { guardContext } from "./subject.ts";
import { type RolloutSummary, readingOf, summaryOf } from "./summary.ts";
import { WeightMoves } from "./weight-moves.ts";

/** Milliseconds between two looks. */
const LOOK = 250;
/** How long the answer to a command waits for the disk, in milliseconds: what was said is in force meanwhile. */
const SAVE_WAIT = 2000;

export interface RolloutsOptions {
  readonly store: Store;
  readonly book: ReportBook;
  readonly watch: TargetWatch;
  readonly activity: RecentActivity;
  readonly events: EventHub;
  readonly clock: Clock;
  readonly log: Log;
  readonly storage: RolloutStorage;
  readonly releases: Releases;
  /** Whether requests keep to a color by a key. */
  readonly affinity: () => boolean;
  /** Whether predictions are read out of answers. */
  readonly predictions: () => boolean;
  readonly gates: readonly Gate[];
  readonly hooks: Hooks;
  /** A color's predictions of late; undefined where too little is known. @default nothing is known */
  readonly freeze?: (color: string) => Reference | undefined;
  /** @default those of guard-kinds.ts */
  readonly kinds?: readonly GuardKind[];
}

/** Who asks, and why. */
export interface Asked {
  readonly by: string;
  readonly reason?: string | undefined;
}

/**
 * Runs rollouts, one at a time: looks at the evidence, has the pure state machine decide, saves, and carries out. It is the only
 * writer of a rollout's state.
 */
export class Rollouts {
  readonly #options: RolloutsOptions;
  readonly #hooks: HookRun;
  readonly #saving: Saving;
  readonly #moves: WeightMoves;
  readonly #news: News;
  #ledger = new Ledger();
  #entry: RolloutEntry | undefined;
  #gates: GateRun | undefined;
  #view: string | undefined;
  #starting = false;
  #held = false;
  #given = false;
  #cancel = () => {};

  constructor(options: RolloutsOptions) {
    this.#options = options;
    const { store, clock, log, events, storage } = options;
    this.#saving = new Saving(storage, clock, log, () => this.#text());
    this.#moves = new WeightMoves({ store, log, save: () => this.#saving.now(), state: () => this.state });
    this.#news = new News({ store, log, events });
    this.#hooks = new HookRun(options.hooks, (given) => this.#say(given));
    options.book.onReport((report) => this.#onReport(report));
    store.onChange((entry) => this.#onChange(entry));
    store.lockBy((given, meta) => this.#locks(given.kind, meta));
  }

  /** For evidence that is computed in the control plane. */
  get sink(): EvidenceSink {
    return {
      record: (...args) => {
        this.#ledger.record(...args);
        this.#saving.dirty = true;
      },
      pairs: (...args) => {
        this.#ledger.pairs(...args);
        this.#saving.dirty = true;
      },
    };
  }

  get records(): readonly ReleaseRecord[] {
    return this.#options.releases.handed;
  }

  /** The newest rollout's state; undefined before the first. */
  get state(): RolloutState | undefined {
    return this.#entry?.state;
  }

  /** True while one is not over. */
  get isRunning(): boolean {
    return this.#entry !== undefined && !isOver(this.#entry.state);
  }

  /** The one that is not over, for `GET /admin/state`. */
  get summary(): RolloutSummary | undefined {
    const state = this.#entry?.state;
    return state === undefined || isDone(state) ? undefined : summaryOf(state, this.verdict());
  }

  /** For metrics. */
  get reading(): RolloutReading {
    const verdict = this.#entry && this.verdict();
    return readingOf(this.#entry?.state, verdict, this.#news.decisions);
  }

  /** Before the first snapshot: goes on with what was saved, or handed over. @throws StartError */
  async load(handed: string | undefined, records: readonly ReleaseRecord[] = []): Promise<void> {
    const { storage, releases, clock } = this.#options;
    await releases.load(clock.now(), records);
    this.#restore(
      handed === undefined ? await storage.load() : deserializeRollouts(handed, "What is handed over"),
    );
  }

  #restore(saved: SavedRollouts | undefined): void {
    if (saved === undefined) return;
    this.#ledger = new Ledger(saved.ledger);
    const entry = saved.current ?? undefined;
    const colors = Object.keys(this.#options.store.view.routing.weights);
    if (entry === undefined) return;
    if (![entry.state.candidate, entry.state.stable].every(({ color }) => colors.includes(color))) {
      this.#options.log.error(
        { id: entry.state.id },
        "A rollout was dropped: its colors are no longer configured.",
      );
      return;
    }
    const state = afterGap(entry.state, this.#options.clock.now(), isClosed(this.#options));
    this.#entry = isOver(entry.state) ? entry : { ...entry, state };
    this.#ledger.judge(entry.state.id, pairOf(entry.state), false);
    if (!isDone(entry.state)) this.#show();
    else if (this.#options.releases.get(entry.state.id) === undefined) this.#keep(entry.state.id);
  }

  /** Begins to look. `held`: until {@link open} nothing is decided. */
  start(held: boolean): void {
    this.#held = held;
    this.#goOn();
  }

  open(): void {
    this.#held = false;
  }

  /** Ends looking, saves, and leaves the folder alone. Resolves with all there is to go on from. */
  async give(): Promise<string> {
    this.#held = true;
    this.#given = true;
    this.#cancel();
    this.#cancel = () => {};
    this.#hooks.stop();
    this.#gates?.stop();
    this.#gates = undefined;
    if (this.#entry !== undefined) await this.#saving.now().catch(() => {});
    return this.#text();
  }

  takeBack(): void {
    this.#held = false;
    this.#given = false;
    this.#goOn();
  }

  /** Ends looking, and saves what is owed, unless it was given away. */
  async stop(): Promise<void> {
    if (!this.#given) await this.give();
  }

  #goOn(): void {
    this.#cancel();
    const { clock, book } = this.#options;
    if (this.#given || this.#entry === undefined || isDone(this.#entry.state)) return;
    this.#cancel = clock.after(LOOK, () => {
      void book
        .refresh()
        .catch(() => {})
        .then(() => {
          if (!this.#held) this.look();
        })
        .catch((error: Error) =>
          this.#options.log.error({ error: error.stack }, "A look at the rollout failed."),
        )
        .finally(() => this.#goOn());
    });
  }

  /** @throws Refusal, HttpProblem nothing has changed */
  async begin(request: RolloutRequest, { by, reason = "asked for" }: Asked): Promise<ReleaseRecord> {
    this.#mustBeFree();
    const { clock, gates, hooks, affinity, kinds } = this.#options;
    const context = guardContext(this.#options, request);
    const available = { gates, hooks, affinity: affinity(), ...(kinds && { kinds }) };
    const planned = planOf(request, context, available);
    const at = clock.now();
    const { plan, tallies, checks, warmUp } = planned;
    const { candidate, stable, expect, reference = null } = context;
    const state = startRollout({ id: newId(at), plan, candidate, stable, at, by, reason });
    const rest = { results: [], servingSince: null, endedAt: null };
    const before = { entry: this.#entry, ledger: this.#ledger.toJSON() };
    this.#entry = { state, expect, checks, tallies, warmUp, reference, ...rest };
    this.#ledger.judge(state.id, pairOf(state), true);
    this.#starting = true;
    try {
      await this.#saving.now();
    } catch (error) {
      if (this.#entry.state.id === state.id) this.#entry = before.entry;
      this.#ledger = new Ledger(before.ledger);
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      throw new Refusal("not_saved", `The rollout could not be saved (${code}), so nothing was changed.`);
    } finally {
      this.#starting = false;
    }
    this.#news.tell(state, state.log, this.verdict());
    this.#show();
    this.look();
    this.#goOn();
    return this.record(state.id)!;
  }

  #mustBeFree(): void {
    const running = this.#entry?.state;
    if (this.#starting || (running !== undefined && !isDone(running))) {
      throw new Refusal(
        "rollout_runs",
        `The rollout ${running?.id} is ${words(running)}; one runs at a time.`,
      );
    }
    if (this.#held) throw new Refusal("handing_over", "An upgrade is under way: ask again in a second.");
  }

  /** @throws Refusal it is not possible in this phase; nothing has changed */
  async command(given: RolloutCommand): Promise<{ readonly saved: boolean }> {
    if (this.#held) throw new Refusal("handing_over", "An upgrade is under way: ask again in a second.");
    this.#say(given);
    if (given.kind !== "abort") this.look(); // or the answer would still say that approval is waited for
    return { saved: await this.#saving.within(SAVE_WAIT) };
  }

  #say(given: RolloutCommand): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    const { refused, ...advance } = command(entry.state, given, this.#options.clock.now());
    if (refused !== undefined) throw new Refusal("rollout_not_possible", refused);
    this.#take(advance, this.verdict());
    this.#goOn();
  }

  /** Judges the evidence and goes on by it. */
  look(): void {
    const entry = this.#entry;
    if (entry === undefined || isDone(entry.state)) return;
    this.#askGates(entry);
    const verdict = this.verdict();
    const facts: Facts = {
      ...worldFacts(this.#options, entry.state),
      requests: this.#ledger.requests,
      verdict,
      gates: this.#gates?.facts ?? "waiting",
      hookRunning: this.#hooks.isRunning,
    };
    this.#take(tick(entry.state, facts, this.#options.clock.now()), verdict);
    this.#saving.due();
  }

  #askGates({ state, checks }: RolloutEntry): void {
    if (state.phase !== "preparing") return;
    const { gates, clock } = this.#options;
    this.#gates ??= new GateRun(gates, checks, this.#context(), clock);
    const results = this.#gates.results;
    if (JSON.stringify(results) !== JSON.stringify(this.#entry!.results))
      this.#entry = { ...this.#entry!, results };
  }

  #context(): RolloutContext {
    const { state, expect } = this.#entry!;
    const [first] = state.log;
    const targets = (color: string) => this.#options.store.view.routing.targets[color] ?? [];
    const { id, candidate, stable } = state;
    return { id, candidate, stable, expect, targets, by: first?.by ?? "", reason: first?.reason ?? "" };
  }

  /** The verdict on what is known now, or the one that it ended by. */
  verdict(): Verdict {
    const { state, decided } = this.#entry!;
    if (decided !== undefined) return decided;
    const { plan, candidate, stable } = state;
    const rate = (color: string) => this.#options.activity.of(color).rate * 60;
    const present = { rho: state.share / 100, requestsPerMinute: rate(candidate.color) + rate(stable.color) };
    const { accepted } = state;
    return judge(this.#ledger.evidence, plan.judgement, present, { accepted, remaining: remaining(state) });
  }

  #take({ state, effects }: Advance, verdict: Verdict): void {
    const before = this.#entry!;
    const now = this.#options.clock.now();
    const over = before.endedAt === null && isOver(state) ? { endedAt: now } : {};
    const serves = before.servingSince === null && state.settled && state.share > 0;
    this.#entry = {
      ...before,
      state,
      ...over,
      ...(isDecided(state) &&
        !isDecided(before.state) && { decided: verdict, decidedOn: this.#ledger.evidence }),
      ...(serves && { servingSince: now }),
    };
    this.#saving.dirty = true;
    this.#hooks.sync(state);
    if (state.phase !== "preparing") this.#gates = this.#stopGates();
    const { pair } = this.#ledger;
    if (pair?.stable !== state.stable.digest && state.stable.digest !== "") {
      this.#ledger.judge(state.id, pairOf(state), false);
    }
    this.#news.tell(
      state,
      effects.flatMap((effect) => (effect.kind === "record" ? [effect.entry] : [])),
      verdict,
    );
    this.#show();
    const isNews = before.state.settled !== state.settled || effects.some(({ kind }) => kind === "record");
    if (isNews) this.#saving.soon();
    for (const effect of effects) {
      if (effect.kind === "weights") this.#moves.move(effect.candidate);
      else if (effect.kind === "hook") this.#startHook(effect.moment, effect.name);
    }
    if (isDone(state) && !isDone(before.state)) this.#finish();
  }

  #stopGates(): undefined {
    this.#gates?.stop();
    return undefined;
  }

  #startHook(moment: Parameters<HookRun["start"]>[0], name: string): void {
    const { phase, share } = this.#entry!.state;
    this.#hooks.start(moment, name, { ...this.#context(), phase, share });
  }

  /** What the data plane has to know, as part of the snapshot. */
  #show(): void {
    const entry = this.#entry;
    const view: RolloutView | undefined =
      entry === undefined || isDone(entry.state) ? undefined : viewOf(entry, this.#options.clock.now());
    const text = JSON.stringify(view);
    if (text === this.#view) return;
    this.#view = text;
    this.#options.store.setRollout(view);
  }

  #finish(): void {
    this.#show();
    this.#cancel();
    const { id } = this.#entry!.state;
    this.#saving.soon();
    this.#keep(id);
  }

  #keep(id: string): void {
    void this.#options.releases.keep(this.record(id)!, this.#options.clock.now());
  }

  /** A change by hand that went through, a rollback or one that was told to abort the rollout. */
  #onChange(entry: HistoryEntry): void {
    const state = this.#entry?.state;
    if (entry.rollout !== undefined || leavesWeights(entry.kind) || state === undefined || isDone(state))
      return;
    const why = `${entry.kind} by ${entry.who}${entry.why ? `: ${entry.why}` : ""}`;
    const shareSet = 100 * shares(entry.to as Weights)[state.candidate.color]!;
    if (!isOver(state)) this.#say({ kind: "abort", by: entry.who, reason: why, shareSet });
    else this.#entry = { ...this.#entry!, state: { ...state, settled: true } };
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (this.#entry?.state.settled && isDone(this.#entry.state)) this.#finish();
  }

  #locks(kind: string, meta: Meta): string | undefined {
    if (!this.isRunning || meta.rollout !== undefined || meta.abortsRollout || leavesWeights(kind))
      return undefined;
    const { state } = this.#entry!;
    const how =
      kind === "reload"
        ? "end it, then read the file again"
        : '"abort_rollout": true (--abort-rollout) ends it and makes this change';
    return `The rollout ${state.id} is ${words(state)} and moves the weights; ${how}.`;
  }

  #onReport(report: Report): void {
    if (this.#entry === undefined || isDone(this.#entry.state) || report.runs === undefined) return;
    this.#ledger.onReport(report);
    this.#saving.dirty = true;
  }

  /** The newest rollout, or one that is kept; `current` is the newest. */
  record(id: string): ReleaseRecord | undefined {
    const entry = this.#entry;
    if (entry !== undefined && (id === "current" || id === entry.state.id)) {
      const { evidence, own, requests } = this.#ledger;
      return recordOf({
        ...{ entry, verdict: this.verdict(), own, requests, closed: isClosed(this.#options) },
        evidence: entry.decidedOn ?? evidence,
      });
    }
    return id === "current" ? this.#options.releases.all[0] : this.#options.releases.get(id);
  }

  /** All that are known, the newest first. */
  get all(): readonly ReleaseRecord[] {
    const current = this.record("current");
    const kept = this.#options.releases.all.filter(({ id }) => id !== current?.id);
    return current === undefined ? kept : [current, ...kept];
  }

  #text(): string {
    return serializeRollouts({ current: this.#entry ?? null, ledger: this.#ledger.toJSON() });
  }
}

function pairOf({ candidate, stable }: RolloutState) {
  return { candidate: candidate.digest, stable: stable.digest };
}

function words(state: RolloutState | undefined): string {
  return state === undefined ? "about to start" : state.phase.replaceAll("_", " ");
}

/** Sorts by time, and is a file's name: `20261122T041500Z-1f3a`. */
function newId(at: number): string {
  const stamp = new Date(at).toISOString().replace(/[-:]|\.\d+/g, "");
  return `${stamp}-${randomBytes(2).toString("hex")}`;
}

/** Milliseconds that steps must last before 100 %, whatever the evidence says. */
function remaining({ plan, step, share, times, skip }: RolloutState): number {
  if (skip !== null || share === 100) return 0;
  const further = Math.max(0, plan.steps.length - 2 - Math.max(step, 0));
  return further * plan.stepMin + Math.max(0, plan.stepMin - (step < 0 ? 0 : times.step));
}
