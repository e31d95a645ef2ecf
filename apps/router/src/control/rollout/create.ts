import type { Config } from "../../config/config.ts";
import type { Reference } from "../../core/evidence/prediction-drift.ts";
import type { Disk } from "../disk.ts";
import { GUARD_KINDS } from "./guard-kinds.ts";
import { type Gate, type GuardKind, type Hooks, NO_HOOKS } from "./ports.ts";
import { Releases } from "./releases.ts";
import { NoRolloutStorage, RolloutFile } from "./rollout-file.ts";
import { Rollouts, type RolloutsOptions } from "./rollouts.ts";

export interface CreateRollouts
  extends Pick<RolloutsOptions, "store" | "book" | "watch" | "activity" | "events" | "clock" | "log"> {
  /** In force now; a reload replaces it. */
  readonly config: () => Config;
  readonly disk: Disk;
  /** What a rollout can ask for besides: guards, gates and hooks, each from its own part of the control plane. */
  readonly more?: {
    readonly kinds?: readonly GuardKind[];
    readonly gates?: readonly Gate[];
    readonly hooks?: Hooks;
    readonly freeze?: (color: string) => Reference | undefined;
  };
}

/** The runner of rollouts with all that it asks: where it saves, gates, hooks, guards. */
export function createRollouts({ config, disk, more = {}, ...parts }: CreateRollouts): Rollouts {
  const { log } = parts;
  const { state } = config();
  return new Rollouts({
    ...parts,
    storage: state === undefined ? new NoRolloutStorage() : new RolloutFile(state, disk, log),
    releases: new Releases(state, disk, log),
    affinity: () => config().affinity.kind !== "none",
    predictions: () => config().predictions !== undefined,
    kinds: [...GUARD_KINDS, ...(more.kinds ?? [])],
    gates: more.gates ?? [],
    hooks: more.hooks ?? NO_HOOKS,
    ...(more.freeze && { freeze: more.freeze }),
  });
}
