import type { RolloutState } from "../../core/rollout/state.ts";
import { soleColor } from "../../core/weights.ts";
import { identityOf, type World } from "./facts.ts";

/**
 * Why an abort comes too late for a promotion that is over; undefined lets it through. It takes back what the promotion did, never
 * what somebody did since, and sends nobody to a color that runs something else by now.
 */
export function whyTooLate(world: World, state: RolloutState): string | undefined {
  if (state.phase !== "promoted") return undefined;
  const untouched = soleColor(world.store.view.routing.weights) === state.candidate.color;
  if (untouched && servesAsBefore(world, state)) return undefined;
  return `${state.id} is promoted, and over; \`sluice rollback\` goes back.`;
}

function servesAsBefore(world: World, { stable: { color, digest } }: RolloutState): boolean {
  return world.store.view.isAvailable(color) && identityOf(world, color)?.digest === digest;
}
