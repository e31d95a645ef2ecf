import type { Config } from "../../config/config.ts";
import type { Disk } from "../disk.ts";
import { createGates } from "./gates.ts";
import { createHooks } from "./hooks.ts";
import { Releases } from "./releases.ts";
import { NoRolloutStorage, RolloutFile } from "./rollout-file.ts";
import { Rollouts, type RolloutsOptions } from "./rollouts.ts";

export interface CreateRollouts
  extends Pick<RolloutsOptions, "store" | "book" | "watch" | "activity" | "events" | "clock" | "log"> {
  /** In force now; a reload replaces it. */
  readonly config: () => Config;
  readonly disk: Disk;
}

/** The runner of rollouts with all that it asks: where it saves, gates, hooks, guards. */
export function createRollouts({ config, disk, ...parts }: CreateRollouts): Rollouts {
  const { log } = parts;
  const { state } = config();
  return new Rollouts({
    ...parts,
    storage: state === undefined ? new NoRolloutStorage() : new RolloutFile(state, disk, log),
    releases: new Releases(state, disk, log),
    affinity: () => config().affinity.kind !== "none",
    gates: createGates(),
    hooks: createHooks(),
  });
}
