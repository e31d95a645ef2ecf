import type { RunReport } from "../../core/rollout/counting.ts";
import type { Snapshot } from "../../core/snapshot.ts";
import type { LiveColor } from "../live-color.ts";
import { Charging } from "./charging.ts";
import { RolloutCounter, rhoOf } from "./rollout-counter.ts";

/** What counts for the rollout in force, and by what requests of each color are counted. */
export class Chargings {
  /** By index of the color: what a request that is assigned now is counted by. Empty while no rollout runs. */
  current: readonly (Charging | undefined)[] = [];
  /** It lasts over its rollout's snapshots, and after it until the next one, for what had not been reported. */
  #counter: RolloutCounter | undefined;

  /** Takes over what a snapshot says, for the requests that are assigned from now on. */
  serve(snapshot: Snapshot, colors: readonly LiveColor[]): void {
    const { rollout } = snapshot;
    const rho = rollout && rhoOf(snapshot, rollout);
    if (rollout === undefined || rho === undefined || rho === 0) {
      this.current = [];
      return;
    }
    if (this.#counter?.id !== rollout.id) this.#counter = new RolloutCounter(rollout.id);
    const counter = this.#counter;
    this.current = colors.map(({ name }) => {
      const isCandidate = name === rollout.candidate;
      if (!isCandidate && name !== rollout.stable) return undefined;
      return new Charging(counter, rollout, rho, isCandidate);
    });
  }

  /** Of the newest rollout; undefined before the first one. */
  report(): RunReport | undefined {
    return this.#counter?.report();
  }
}
