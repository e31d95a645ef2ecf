import { backToStable, breached, enter, logged, paused, rolledBack, withHook } from "./change.ts";
import type { Moment } from "./plan.ts";
import { type Advance, isOver, type RolloutState } from "./state.ts";
import { recorded } from "./tick.ts";

/** What people, and hooks that ended, say to a rollout. */
export type RolloutCommand =
  | { readonly kind: "pause" | "resume" | "approve"; readonly by: string; readonly reason?: string }
  /** Skips waits and gates. `force` skips promotion's guards as well, which is written down. */
  | { readonly kind: "promote"; readonly by: string; readonly reason?: string; readonly force?: boolean }
  /** `shareSet`: the command that aborts it has set weights itself; the candidate's share since then, in percent. */
  | { readonly kind: "abort"; readonly by: string; readonly reason?: string; readonly shareSet?: number }
  | { readonly kind: "hook_done"; readonly moment: Moment; readonly ok: boolean; readonly detail: string };

/** `refused` is a sentence for whoever asked; nothing has changed then. */
export interface Commanded extends Advance {
  readonly refused?: string;
}

/**
 * Carries out a command. `at` is milliseconds since 1970. Abort is never refused and wins in every phase; where requests are
 * back at the stable color already it changes nothing.
 */
export function command(before: RolloutState, given: RolloutCommand, at: number): Commanded {
  const times = { ...before.times, last: Math.max(at, before.times.last) };
  const after = HANDLERS[given.kind]({ ...before, times }, given as never);
  if (typeof after === "string") return { state: before, effects: [], refused: after };
  const moved = after.phase !== before.phase && !after.settled;
  const weights = { kind: "weights", candidate: after.share, stable: 100 - after.share } as const;
  return { state: after, effects: [...recorded(before, after), ...(moved ? [weights] : [])] };
}

type Handlers = {
  readonly [K in RolloutCommand["kind"]]: (
    state: RolloutState,
    given: Extract<RolloutCommand, { kind: K }> & { readonly kind: K },
  ) => RolloutState | string;
};

const HANDLERS: Handlers = {
  pause: (state, { by, reason = "asked for" }) =>
    ended(state) ?? paused(state, { by: "person", reason, guard: null }, by),
  resume: (state, { by, reason = "asked for" }) => ended(state) ?? resumed(state, by, reason),
  approve: (state, { by, reason = "approved" }) => {
    if (state.phase !== "awaiting_approval") {
      return ended(state) ?? `It is ${words(state)}; nothing waits for approval. "full" skips every wait.`;
    }
    return state.approved ? state : logged({ ...state, approved: true }, "approve", reason, by);
  },
  promote: (state, { by, reason = "asked for", force = false }) => {
    const refused = ended(state) ?? (state.paused ? "It is paused; resume it first." : undefined);
    if (refused !== undefined) return refused;
    const how = force ? "without promotion's guards" : "without further waiting";
    return logged(
      { ...state, skip: force ? "guards" : (state.skip ?? "waits") },
      "promote",
      `${reason}: ${how}`,
      by,
    );
  },
  abort: (state, { by, reason = "asked for", shareSet }) => {
    if (state.phase === "aborted" || state.phase === "rolled_back") return state;
    const set = shareSet === undefined ? {} : { share: shareSet, settled: true };
    const aborted = enter({ ...backToStable(state), ...set }, "aborted");
    return logged(withHook(aborted, "on_rollback"), "abort", reason, by);
  },
  hook_done: (state, { moment, ok, detail }) => hookDone(state, moment, ok, detail),
};

function words({ phase }: RolloutState): string {
  return phase.replaceAll("_", " ");
}

function ended(state: RolloutState): string | undefined {
  if (isOver(state)) return `It is ${words(state)}, and over.`;
  return state.phase === "rolling_back" ? `It is ${words(state)}; only abort is left.` : undefined;
}

/** Whoever resumes has seen why it paused: that guard, that change of the stable color is accepted, time begins anew. */
function resumed(state: RolloutState, by: string, reason: string): RolloutState | string {
  const { paused: pause, times, accepted, stable } = state;
  if (pause === null) return "It is not paused.";
  const guards =
    pause.guard === null || accepted.includes(pause.guard) ? accepted : [...accepted, pause.guard];
  const next: RolloutState = {
    ...state,
    paused: null,
    accepted: guards,
    times: { ...times, total: pause.by === "timeout" ? 0 : times.total, unavailable: 0 },
    stable: pause.by === "stable_changed" ? { ...stable, digest: "" } : stable,
  };
  return logged(next, "resume", pause.guard === null ? reason : `${reason}: accepts ${pause.guard}`, by);
}

function hookDone(state: RolloutState, moment: Moment, ok: boolean, detail: string): RolloutState {
  if (state.hook?.moment !== moment) return state; // it ended after an abort, or twice
  const reason = `${state.hook.name} (${moment.replaceAll("_", " ")}) ${ok ? "succeeded" : "failed"}: ${detail}`;
  const done = logged({ ...state, hook: null }, "hook", reason);
  if (ok || isOver(state) || state.phase === "rolling_back") {
    return { ...done, hooksDone: [...done.hooksDone, moment] };
  }
  return moment === "before_rollout" ? rolledBack(done, reason) : breached(done, reason, null);
}
