import type { Gate } from "./gate.ts";
import type { RolloutView } from "./rollout/counting.ts";
import type { ShadowView } from "./shadow/view.ts";

/**
 * The routing table that the data plane reads. Immutable: a change makes a new one with a higher epoch.
 */

/**
 * What active checks and passive ejection say of a target.
 * `starting`: no verdict yet, takes no traffic. `up`: takes traffic. `down`: failed its checks.
 * `ejected`: passes its checks, but its answers to real requests made it sit out.
 */
export type Health = "starting" | "up" | "down" | "ejected";

export interface TargetView {
  /** The target's normalized URL, such as `http://127.0.0.1:8001`; it is the target's identity. */
  readonly url: string;
  readonly health: Health;
}

export interface ColorView {
  readonly name: string;
  /** The weight as it was given: a finite number of at least 0, any scale. `exact` splits count with it. */
  readonly weight: number;
  /** Share of new requests, 0 to 1; all colors of a snapshot add up to 1. */
  readonly share: number;
  readonly targets: readonly TargetView[];
}

export interface Snapshot {
  readonly epoch: number;
  readonly revision: number;
  /** In the order of the configuration, which never changes between two snapshots of one process. */
  readonly colors: readonly ColorView[];
  /** A color of share 0 that may still catch failures: the one that last had all weight. */
  readonly standby: string | undefined;
  /** How a request without affinity draws its color. A rollout forces `random`, whatever is configured. */
  readonly split: "random" | "exact";
  /** Mixed into affinity hashes; each rollout has its own, or the same users would always go first. */
  readonly salt: string;
  /** The rollout that runs, and what is counted for it. */
  readonly rollout?: RolloutView | undefined;
  /** Closed to new requests; undefined: open. */
  readonly gate?: Gate | undefined;
  /** The color that gets copies of requests. */
  readonly shadow?: ShadowView | undefined;
}

/** A target takes new requests only when its checks and its answers both speak for it. */
export function isAvailable(target: TargetView): boolean {
  return target.health === "up";
}

export function hasAvailableTarget(color: ColorView): boolean {
  return color.targets.some(isAvailable);
}
