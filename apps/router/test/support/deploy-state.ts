import type { State } from "../../src/cli/admin-types.ts";

/** What a router says of its colors, by their weights. */
export function state(weights: Record<string, number>, standby?: string): State {
  const colors = Object.entries(weights).map(([name, weight]) => ({
    name,
    weight,
    share: weight,
    targets: [],
  }));
  return { epoch: 1, revision: 1, standby: standby ?? null, colors };
}
