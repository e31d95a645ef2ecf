import type { Clock } from "../../core/clock.ts";
import { Refusal } from "../../core/refusal.ts";
import { command, type RolloutCommand } from "../../core/rollout/command.ts";
import { type Advance, type Effect, type Facts, isDone, isOver } from "../../core/rollout/state.ts";
import { tick } from "../../core/rollout/tick.ts";
import type { Verdict } from "../../core/verdict/verdict.ts";
import type { HistoryEntry } from "../history.ts";
import { abortBy, isByHand } from "./changes-by-hand.ts";
import type { CurrentRollout } from "./current-rollout.ts";
import { type World, worldFacts } from "./facts.ts";
import { InSnapshot } from "./in-snapshot.ts";
import { News, type NewsParts } from "./news.ts";
import { SideRuns, type SideRunsOptions } from "./side-runs.ts";
import { WeightMoves } from "./weight-moves.ts";

export interface RunnerOptions extends World, NewsParts, Omit<SideRunsOptions, "onHookEnd" | "store"> {
  readonly store: World["store"] & NewsParts["store"];
  readonly clock: Clock;
  readonly current: CurrentRollout;
  /** Called when nothing is left to do. */
  readonly onDone: () => void;
}

/** Takes the current rollout on: has the pure state machine decide, saves, tells, and carries out what it decided. */
export class Runner {
  readonly news: News;
  readonly #options: RunnerOptions;
  readonly #current: CurrentRollout;
  readonly #beside: SideRuns;
  readonly #moves: WeightMoves;
  readonly #inSnapshot: InSnapshot;

  constructor(options: RunnerOptions) {
    const { store, log, current } = options;
    this.#options = options;
    this.#current = current;
    this.#beside = new SideRuns({ ...options, onHookEnd: (given) => this.say(given) });
    this.#moves = new WeightMoves({
      ...{ store, log, save: () => current.saving.now() },
      state: () => current.state,
    });
    this.news = new News(options);
    this.#inSnapshot = new InSnapshot(store);
  }

  /** The current rollout has just begun, and is saved. */
  begin(): void {
    const { entry, verdict } = this.#current;
    this.news.tell(entry!.state, entry!.state.log, verdict!);
    this.show();
    this.look();
  }

  /** Judges the evidence and goes on by it. */
  look(): void {
    const { entry } = this.#current;
    if (entry === undefined || isDone(entry.state)) return;
    this.#current.check(this.#beside.check(entry));
    const verdict = this.#current.verdict!;
    const { requests } = this.#current;
    const { state } = entry;
    const facts: Facts = { ...worldFacts(this.#options, state), ...this.#beside.facts, requests, verdict };
    this.#take(tick(state, facts, this.#options.clock.now()), verdict);
    this.#current.saving.due();
  }

  /** @throws Refusal it is not possible in this phase; nothing has changed */
  say(given: RolloutCommand): void {
    const { state, verdict } = this.#current;
    if (state === undefined) return;
    const { refused, ...advance } = command(state, given, this.#options.clock.now());
    if (refused !== undefined) throw new Refusal("rollout_not_possible", refused);
    this.#take(advance, verdict!);
  }

  /** Whether weights that led back are on the disk; it waits for that no longer than a rescue does. */
  get isBackSaved(): Promise<boolean> {
    return this.#moves.isBackSaved;
  }

  /** A change went through: one by hand, a rollback or one that was told to abort it, ends the rollout. */
  changed(entry: HistoryEntry): void {
    const { state } = this.#current;
    if (!isByHand(entry.kind, entry) || state === undefined || isDone(state)) return;
    if (!isOver(state)) return this.say(abortBy(entry, state));
    this.#current.settle();
    if (this.#current.isDone) this.#finish();
  }

  #take({ state, effects }: Advance, verdict: Verdict): void {
    const before = this.#current.state!;
    this.#current.advance(state, verdict);
    this.#beside.sync(this.#current.entry!);
    const lines = effects.flatMap((effect) => (effect.kind === "record" ? [effect.entry] : []));
    this.news.tell(state, lines, verdict);
    this.show();
    if (lines.length > 0 || before.settled !== state.settled) this.#current.saving.soon();
    for (const effect of effects) this.#carryOut(effect);
    if (isDone(state) && !isDone(before)) this.#finish();
  }

  #carryOut(effect: Effect): void {
    if (effect.kind === "weights") this.#moves.move(effect.candidate);
    else if (effect.kind === "hook") {
      this.#beside.startHook(effect.moment, effect.name, this.#current.entry!);
    }
  }

  #finish(): void {
    this.show();
    this.#current.saving.soon();
    this.#options.onDone();
  }

  /** What the data plane has to know, as part of the snapshot. */
  show(): void {
    this.#inSnapshot.show(this.#current.entry, this.#options.clock.now());
  }

  /** Ends what runs beside the rollout. */
  stop(): void {
    this.#beside.stop();
  }
}
