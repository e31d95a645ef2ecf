import type { RolloutView } from "../../core/rollout/counting.ts";
import { isDone } from "../../core/rollout/state.ts";
import type { Store } from "../store.ts";
import type { RolloutEntry } from "./entry.ts";

/** Keeps what the data plane has to know of the rollout in the snapshot, and publishes only what has changed. */
export class InSnapshot {
  readonly #store: Pick<Store, "setRollout">;
  #shown: string | undefined;

  constructor(store: Pick<Store, "setRollout">) {
    this.#store = store;
  }

  show(entry: RolloutEntry | undefined, now: number): void {
    const view = entry === undefined || isDone(entry.state) ? undefined : viewOf(entry, now);
    const text = JSON.stringify(view);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#store.setRollout(view);
  }
}

/** The rollout as the data plane has to know it now: a cold candidate is not judged by its speed. */
function viewOf(entry: RolloutEntry, now: number): RolloutView {
  const { state, tallies, reference } = entry;
  const warm = entry.servingSince !== null && now - entry.servingSince >= entry.warmUp;
  return {
    id: state.id,
    candidate: state.candidate.color,
    stable: state.stable.color,
    tallies: tallies.filter(({ kind }) => warm || kind !== "slow"),
    ...(reference && { reference }),
  };
}
