import { z } from "zod";
import { GATE_KINDS } from "../core/gate-commands.ts";
import type { Command, RoutingState } from "../core/transitions.ts";

const values = z.record(z.string(), z.union([z.number(), z.array(z.string())]));

/** One change: who, when, why, from, to. Times are ISO 8601; `from` and `to` are weights, or targets for that kind. */
export const historyEntry = z.object({
  revision: z.int().positive(),
  /** When it was decided. */
  at: z.string(),
  kind: z.enum(["weights", "flip", "rollback", "undo", "targets", "reload", ...GATE_KINDS]),
  who: z.string(),
  why: z.string().optional(),
  /** The rollout that decided it. */
  rollout: z.string().optional(),
  /** Of a pause, a resume and maintenance: what becomes of new requests. Weights do not change by it. */
  gate: z.enum(["open", "pause", "maintenance"]).optional(),
  from: values,
  to: values,
});

export type HistoryEntry = z.infer<typeof historyEntry>;

/** Who sent a command, and why. */
export interface Meta {
  readonly who: string;
  readonly why?: string | undefined;
  /** Accepts the revision that the command was made for; undefined accepts any. */
  readonly accepts?: ((revision: number) => boolean) | undefined;
  /** The rollout that sends it. */
  readonly rollout?: string | undefined;
  /** It is carried out although a rollout runs, which is aborted by it. */
  readonly abortsRollout?: boolean | undefined;
  /** Publishes before it saves: a full disk must not hold back a way to safety. */
  readonly rescue?: boolean | undefined;
}

/** @param at milliseconds since 1970 */
export function newEntry(
  before: RoutingState,
  state: RoutingState,
  command: Command,
  { who, why, rollout }: Meta,
  at: number,
): HistoryEntry {
  const part = ({ weights, targets }: RoutingState): HistoryEntry["from"] =>
    command.kind === "targets" ? { [command.color]: [...targets[command.color]!] } : weights;
  return {
    revision: state.revision,
    at: new Date(at).toISOString(),
    kind: command.kind,
    who,
    ...(why === undefined ? {} : { why }),
    ...(rollout === undefined ? {} : { rollout }),
    ...(isGate(command) ? { gate: state.gate?.kind ?? "open" } : {}),
    from: part(before),
    to: part(state),
  };
}

const isGate = ({ kind }: Command) => GATE_KINDS.some((each) => each === kind);

/** Limits of number and age (milliseconds): what is written to the disk with every change must stay small. */
export const HISTORY_ENTRIES = 500;
export const HISTORY_AGE = 365 * 24 * 3_600_000;

/** The history with one more entry, oldest first, within its limits. */
export function remember(
  history: readonly HistoryEntry[],
  entry: HistoryEntry,
  now: number,
): readonly HistoryEntry[] {
  const young = history.filter(({ at }) => now - Date.parse(at) < HISTORY_AGE);
  return [...young, entry].slice(-HISTORY_ENTRIES);
}
