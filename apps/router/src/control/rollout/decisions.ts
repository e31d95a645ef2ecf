import type { LogEntry } from "../../core/rollout/state.ts";
import type { Verdict } from "../../core/verdict/verdict.ts";

/** What is counted as a decision; the rest of a log is how it is carried out. */
const DECISIONS = new Set<LogEntry["event"]>([
  "step",
  "promote",
  "promoted",
  "pause",
  "rollback",
  "abort",
  "resume",
]);

/** By what words a log's sentence is told apart from others, where no guard decided. */
const CAUSES: readonly (readonly [RegExp, string])[] = [
  [/runs another version/, "identity"],
  [/longer than max_duration/, "timeout"],
  [/no available target/, "unavailable"],
  [/ failed: /, "hook"],
];

/** The labels of a decision for metrics: few, whatever people write. Undefined for what is none. */
export function decisionOf(
  entry: LogEntry,
  verdict: Verdict,
): { readonly decision: string; readonly reason: string } | undefined {
  if (!DECISIONS.has(entry.event)) return undefined;
  return { decision: entry.event, reason: reasonOf(entry, verdict) };
}

function reasonOf(entry: LogEntry, verdict: Verdict): string {
  if (entry.by !== "sluice") return "asked";
  if (verdict.guard !== undefined && entry.reason.startsWith(verdict.reason)) return verdict.guard;
  if (entry.event === "step" || entry.event === "promote" || entry.event === "promoted") return "evidence";
  return CAUSES.find(([words]) => words.test(entry.reason))?.[1] ?? "check";
}
