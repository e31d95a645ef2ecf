import type { Clock } from "../../core/clock.ts";
import type { Evidence } from "../../core/evidence/evidence.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Report } from "../../core/report.ts";
import { afterGap } from "../../core/rollout/change.ts";
import { isDone, isOver, type RolloutState } from "../../core/rollout/state.ts";
import { judge, type Verdict } from "../../core/verdict/verdict.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store.ts";
import { advanced, type GateResult, type RolloutEntry } from "./entry.ts";
import { isClosed } from "./facts.ts";
import { Ledger, type OwnEvidence } from "./ledger.ts";
import type { Digests, EvidenceSink } from "./ports.ts";
import {
  deserializeHanded,
  type RolloutStorage,
  type SavedRollouts,
  serializeRollouts,
} from "./rollout-file.ts";
import { Saving } from "./saving.ts";

export interface CurrentRolloutOptions {
  readonly store: Pick<Store, "view">;
  readonly storage: RolloutStorage;
  readonly clock: Clock;
  readonly log: Log;
  /** Answers a second of a color, of late; forecasts need it. */
  readonly rateOf: (color: string) => number;
}

/** The newest rollout with the evidence on its pair, in memory and on the disk. It is the only writer of both. */
export class CurrentRollout {
  readonly saving: Saving;
  readonly #options: CurrentRolloutOptions;
  #ledger = new Ledger();
  #entry: RolloutEntry | undefined;
  #beginning = false;

  constructor(options: CurrentRolloutOptions) {
    const { storage, clock, log } = options;
    this.#options = options;
    this.saving = new Saving(storage, clock, log, () => this.text);
  }

  /** Undefined before the first; kept when it is over. */
  get entry(): RolloutEntry | undefined {
    return this.#entry;
  }

  get state(): RolloutState | undefined {
    return this.#entry?.state;
  }

  /** Nothing is left to do: another one may begin. */
  get isDone(): boolean {
    return !this.#beginning && (this.#entry === undefined || isDone(this.#entry.state));
  }

  /** True while something is still to be decided. */
  get isRunning(): boolean {
    return this.#entry !== undefined && !isOver(this.#entry.state);
  }

  /** All that is known of the pair. */
  get evidence(): Evidence {
    return this.#ledger.evidence;
  }

  /** What this rollout itself has seen. */
  get own(): OwnEvidence {
    return this.#ledger.own;
  }

  /** First attempts of the candidate that have ended in this rollout. */
  get requests(): number {
    return this.#ledger.requests;
  }

  /** The verdict on what is known now, or the one that it ended by; undefined before the first rollout. */
  get verdict(): Verdict | undefined {
    return this.#entry && this.#verdictOn(this.#entry);
  }

  #verdictOn({ state, decided }: RolloutEntry): Verdict {
    if (decided !== undefined) return decided;
    const { plan, candidate, stable, accepted, share } = state;
    const perSecond = this.#options.rateOf(candidate.color) + this.#options.rateOf(stable.color);
    const present = { rho: share / 100, requestsPerMinute: perSecond * 60 };
    return judge(this.#ledger.evidence, plan.judgement, present, { accepted, remaining: remaining(state) });
  }

  /** What is saved, and handed over. */
  get text(): string {
    return serializeRollouts({ current: this.#entry ?? null, ledger: this.#ledger.toJSON() });
  }

  /**
   * Goes on with what was saved, or handed over; a rollout of colors that are no longer configured is dropped.
   * @throws StartError what there is cannot be read
   */
  async load(handed: string | undefined): Promise<void> {
    const saved = handed === undefined ? await this.#options.storage.load() : deserializeHanded(handed);
    if (saved !== undefined) this.#restore(saved);
  }

  #restore({ current, ledger }: SavedRollouts): void {
    const { store, clock, log } = this.#options;
    this.#ledger = new Ledger(ledger);
    if (current === null) return;
    const { id, candidate, stable } = current.state;
    const { weights } = store.view.routing;
    if (![candidate, stable].every(({ color }) => Object.hasOwn(weights, color))) {
      log.error({ id }, "A rollout was dropped: its colors are no longer configured.");
      return;
    }
    const state = afterGap(current.state, clock.now(), isClosed({ store }));
    this.#entry = isOver(current.state) ? current : { ...current, state };
    this.#ledger.judge(id, pairOf(current.state), false);
  }

  /** @throws Refusal it could not be saved: the one before is the current one again */
  async begin(entry: RolloutEntry): Promise<void> {
    const before = { entry: this.#entry, ledger: this.#ledger.toJSON() };
    this.#entry = entry;
    this.#ledger.judge(entry.state.id, pairOf(entry.state), true);
    this.#beginning = true;
    try {
      await this.saving.now();
    } catch (error) {
      this.#entry = before.entry;
      this.#ledger = new Ledger(before.ledger);
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      throw new Refusal("not_saved", `The rollout could not be saved (${code}), so nothing was changed.`);
    } finally {
      this.#beginning = false;
    }
  }

  /** What it has come to, by this verdict. */
  advance(state: RolloutState, verdict: Verdict): void {
    const by = { verdict, evidence: this.#ledger.evidence, now: this.#options.clock.now() };
    this.#entry = advanced(this.#entry!, state, by);
    this.saving.dirty = true;
    const { digest } = state.stable;
    if (digest !== "" && digest !== this.#ledger.pair?.stable) {
      this.#ledger.judge(state.id, pairOf(state), false);
    }
  }

  /** Whoever changed the weights by hand has decided how they are. */
  settle(): void {
    const entry = this.#entry!;
    this.#entry = { ...entry, state: { ...entry.state, settled: true } };
    this.saving.dirty = true;
  }

  /** How its checks stand. */
  check(results: readonly GateResult[]): void {
    const entry = this.#entry!;
    if (JSON.stringify(results) !== JSON.stringify(entry.results)) this.#entry = { ...entry, results };
  }

  /** What a worker has counted for it. */
  count(report: Report): void {
    if (this.isDone || report.runs === undefined) return;
    this.#ledger.onReport(report);
    this.saving.dirty = true;
  }

  /** For evidence that is computed in the control plane. */
  readonly sink: EvidenceSink = {
    record: (pair: Digests, ...rest) => {
      this.#ledger.record(pair, ...rest);
      this.saving.dirty = true;
    },
    pairs: (pair: Digests, ...rest) => {
      this.#ledger.pairs(pair, ...rest);
      this.saving.dirty = true;
    },
  };
}

function pairOf({ candidate, stable }: RolloutState): Digests {
  return { candidate: candidate.digest, stable: stable.digest };
}

/** Milliseconds that steps must last before 100 %, whatever the evidence says. */
function remaining({ plan, step, share, times, skip }: RolloutState): number {
  if (skip !== null || share === 100) return 0;
  const further = Math.max(0, plan.steps.length - 2 - Math.max(step, 0));
  return further * plan.stepMin + Math.max(0, plan.stepMin - (step < 0 ? 0 : times.step));
}
