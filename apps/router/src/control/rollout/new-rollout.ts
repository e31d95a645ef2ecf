import { randomBytes } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { startRollout } from "../../core/rollout/start.ts";
import { NOT_RUN, type RolloutEntry } from "./entry.ts";
import type { Gate, GuardKind, Hooks } from "./ports.ts";
import { planOf, type RolloutRequest } from "./request.ts";
import { guardContext, type Surroundings } from "./subject.ts";

export interface NewRolloutOptions extends Surroundings {
  readonly clock: Clock;
  /** Whether requests keep to a color by a key. */
  readonly affinity: () => boolean;
  readonly gates: readonly Gate[];
  readonly hooks: Hooks;
  /** @default those of guard-kinds.ts */
  readonly kinds?: readonly GuardKind[];
}

/** Who asks, and why. */
export interface Asked {
  readonly by: string;
  readonly reason?: string | undefined;
}

/**
 * The rollout that a request asks for, before anything is saved or moved.
 * @throws Refusal it cannot begin now
 * @throws HttpProblem 400 that names the key and what was expected
 */
export function newRollout(options: NewRolloutOptions, request: RolloutRequest, asked: Asked): RolloutEntry {
  const { clock, gates, hooks, affinity, kinds } = options;
  const context = guardContext(options, request);
  const { candidate, stable, expect, reference = null } = context;
  const available = { gates, hooks, affinity: affinity(), ...(kinds && { kinds }) };
  const { plan, tallies, checks, warmUp } = planOf(request, context, available);
  const at = clock.now();
  const { by, reason = "asked for" } = asked;
  const state = startRollout({ id: newId(at), plan, candidate, stable, at, by, reason });
  const results = checks.map((name) => ({ name, ok: undefined, detail: NOT_RUN }));
  const rest = { tallies, warmUp, reference, servingSince: null, endedAt: null };
  return { state, expect, checks, results, ...rest };
}

/** Sorts by time, and is a file's name: `20261122T041500Z-1f3a`. */
function newId(at: number): string {
  const stamp = new Date(at).toISOString().replace(/[-:]|\.\d+/g, "");
  return `${stamp}-${randomBytes(2).toString("hex")}`;
}
