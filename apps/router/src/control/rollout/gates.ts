import type { Gate } from "./ports.ts";

/** The gates that a rollout can name. Each comes from its own file; this is the list of them. */
export function createGates(): readonly Gate[] {
  return [];
}
