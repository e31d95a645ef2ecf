import type { RolloutView } from "./rollout/counting.ts";
import type { ShadowView } from "./shadow/view.ts";
import type { ColorView, Health, Snapshot, TargetView } from "./snapshot.ts";
import { type RoutingState, standbyOf } from "./transitions.ts";
import { scaleDown, shares } from "./weights.ts";

export interface SnapshotParts {
  readonly epoch: number;
  readonly state: RoutingState;
  /** Targets that were replaced and serve until one of their successors is up; by color. */
  readonly retiring: ReadonlyMap<string, readonly string[]>;
  readonly health: (url: string) => Health;
  readonly split: "random" | "exact";
  /** The rollout that runs: its draws are random, and its affinity has a salt of its own. */
  readonly rollout?: RolloutView | undefined;
  readonly shadow?: ShadowView | undefined;
}

/** No rollout runs: affinity hashes carry no salt, so that users stay where they are over a restart. */
const NO_SALT = "";

/** The routing table for the data plane: what administrators decided, and what health says of it. */
export function buildSnapshot(parts: SnapshotParts): Snapshot {
  const { epoch, state, retiring, health, split, rollout, shadow } = parts;
  const share = shares(state.weights);
  const weights = scaleDown(state.weights);
  const view = (url: string): TargetView => ({ url, health: health(url) });
  const colors = Object.keys(state.weights).map((name): ColorView => {
    const targets = [...state.targets[name]!, ...(retiring.get(name) ?? [])].map(view);
    return { name, weight: weights[name]!, share: share[name]!, targets };
  });
  return {
    epoch,
    revision: state.revision,
    colors,
    standby: standbyOf(state),
    split: rollout === undefined ? split : "random",
    salt: rollout?.id ?? NO_SALT,
    gate: state.gate,
    ...(rollout && { rollout }),
    ...(shadow && { shadow }),
  };
}
