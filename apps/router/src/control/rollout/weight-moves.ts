import type { RolloutState } from "../../core/rollout/state.ts";
import { shares, type Weights } from "../../core/weights.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store.ts";

export interface WeightMovesOptions {
  readonly store: Store;
  readonly log: Log;
  /** Resolves once the rollout is on the disk. */
  readonly save: () => Promise<void>;
  /** Of the newest rollout. */
  readonly state: () => RolloutState | undefined;
}

/** Sets the weights that a rollout has decided. */
export class WeightMoves {
  readonly #options: WeightMovesOptions;
  readonly #moving = new Set<"rescue" | "step">();
  #back: Promise<boolean> = Promise.resolve(true);

  constructor(options: WeightMovesOptions) {
    this.#options = options;
  }

  /** Whether weights that led back are on the disk: a router that is killed once an abort is answered must not begin with others. */
  get isBackSaved(): Promise<boolean> {
    return this.#back;
  }

  /**
   * Weights that lead back publish at once, whatever else waits for the disk; others are not moved before what decided
   * them is saved. `share` is the candidate's, in percent.
   */
  move(share: number): void {
    const { log, save } = this.#options;
    const state = this.#options.state()!;
    const kind = share === 0 && state.step >= 0 ? "rescue" : "step";
    if (this.#moving.has(kind)) return;
    this.#moving.add(kind);
    const apply = () => this.#apply(state, share, kind === "rescue");
    const moved = (kind === "rescue" ? apply() : save().then(apply))
      .catch((error: unknown) => {
        log.warn({ id: state.id, error: String(error) }, "A rollout's weights could not be set yet.");
        return false;
      })
      .finally(() => this.#moving.delete(kind));
    if (kind === "rescue") this.#back = moved;
  }

  /** Resolves with whether they are on the disk; those of a rescue are in force all the same. */
  async #apply({ id, candidate, stable }: RolloutState, share: number, rescue: boolean): Promise<boolean> {
    const { store, state } = this.#options;
    const wanted = () => state()?.id === id && state()?.share === share;
    const before = store.view.routing.weights;
    const none = Object.fromEntries(Object.keys(before).map((color) => [color, 0]));
    const weights = { ...none, [candidate.color]: share, [stable.color]: 100 - share };
    if (!wanted()) return true;
    // a worker has only not said so yet; but a step that is being saved has to be overtaken
    if (areSame(before, weights) && !(rescue && this.#moving.has("step"))) return true;
    const back = share === 0 ? { back: stable.color } : {};
    const meta = {
      who: `rollout ${id}`,
      why: state()?.log.at(-1)?.reason,
      rollout: id,
      rescue,
      accepts: wanted,
    };
    return (await store.apply({ kind: "weights", weights, ...back }, meta)).saved;
  }
}

function areSame(now: Weights, wanted: Weights): boolean {
  const [a, b] = [shares(now), shares(wanted)];
  return Object.keys(wanted).every((color) => Math.abs(a[color]! - b[color]!) < 1e-9);
}
