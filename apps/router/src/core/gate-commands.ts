import type { Gate, Maintenance, Pause } from "./gate.ts";
import { Refusal } from "./refusal.ts";
import type { Command, Facts, RoutingState } from "./transitions.ts";

/** What an administrator may do with the gate. */
export type GateCommand =
  | { readonly kind: "pause"; readonly gate: Pause }
  /** `force`: although nothing could answer those that wait. */
  | { readonly kind: "resume"; readonly force?: boolean }
  /** Undefined ends it. */
  | { readonly kind: "maintenance"; readonly gate: Maintenance | undefined };

export const GATE_KINDS = ["pause", "resume", "maintenance"] as const satisfies GateCommand["kind"][];

/** Whether a command would open the gate, which is open: that is no mistake, and no change either. */
export function opensOpenGate(state: RoutingState, command: Command): boolean {
  const opens = command.kind === "resume" || (command.kind === "maintenance" && command.gate === undefined);
  return opens && state.gate === undefined;
}

/**
 * The state with its gate closed or opened. A pause that is asked for anew replaces the one before, whose requests wait on;
 * maintenance ends a pause, and those that wait are turned away.
 * @throws Refusal
 */
export function moveGate(state: RoutingState, command: GateCommand, facts: Facts): RoutingState {
  switch (command.kind) {
    case "pause":
      if (state.gate?.kind === "maintenance")
        throw new Refusal(
          "in_maintenance",
          "The router is in maintenance, and turns requests away; end that first.",
        );
      return { ...state, gate: command.gate };
    case "resume":
      return { ...state, gate: resumed(state, command.force === true, facts) };
    case "maintenance":
      if (command.gate === undefined && state.gate?.kind === "pause")
        throw new Refusal("not_in_maintenance", "The router is paused, not in maintenance; resume it.");
      return { ...state, gate: command.gate };
  }
}

/** Those that wait would be answered 503 if nothing could answer them. */
function resumed(state: RoutingState, force: boolean, facts: Facts): Gate | undefined {
  if (state.gate?.kind === "maintenance")
    throw new Refusal("in_maintenance", "The router is in maintenance, not paused; end that.");
  const weighty = Object.keys(state.weights).filter((color) => state.weights[color]! > 0);
  if (state.gate !== undefined && !force && !weighty.some((color) => facts.isAvailable(color))) {
    throw new Refusal(
      "no_healthy_target",
      `No color with weight (${weighty.join(", ")}) has a healthy target; "force": true resumes all the same.`,
    );
  }
  return undefined;
}
