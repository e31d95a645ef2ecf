import { type Hooks, NO_HOOKS } from "./ports.ts";

/** The hooks that the configuration file defines. */
export function createHooks(): Hooks {
  return NO_HOOKS;
}
