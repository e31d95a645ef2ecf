import type { LogEntry, RolloutState } from "../../core/rollout/state.ts";
import type { Verdict } from "../../core/verdict/verdict.ts";
import type { DecisionCount } from "../../metrics/rollout-metrics.ts";
import type { EventHub } from "../events.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store.ts";
import { decisionOf } from "./decisions.ts";

export interface NewsParts {
  readonly store: Store;
  readonly log: Log;
  readonly events: EventHub;
}

/** Tells what a rollout does: to the log, to those who listen to events, and by numbers. */
export class News {
  readonly #parts: NewsParts;
  /** By decision and reason. */
  readonly #counts = new Map<string, DecisionCount>();

  constructor(parts: NewsParts) {
    this.#parts = parts;
  }

  /** Since the router started. */
  get decisions(): readonly DecisionCount[] {
    return [...this.#counts.values()];
  }

  tell({ id, candidate }: RolloutState, entries: readonly LogEntry[], verdict: Verdict): void {
    const { store, log, events } = this.#parts;
    for (const { at: when, ...entry } of entries) {
      log.info({ id, ...entry }, `Rollout ${id}: ${entry.event}: ${entry.reason}`);
      const { epoch } = store.view.snapshot;
      const at = new Date(when).toISOString();
      events.publish("rollout", { id, epoch, candidate: candidate.color, ...entry, at });
      this.#count({ at: when, ...entry }, verdict);
    }
  }

  #count(entry: LogEntry, verdict: Verdict): void {
    const decision = decisionOf(entry, verdict);
    if (decision === undefined) return;
    const key = `${decision.decision}\n${decision.reason}`;
    this.#counts.set(key, { ...decision, count: (this.#counts.get(key)?.count ?? 0) + 1 });
  }
}
