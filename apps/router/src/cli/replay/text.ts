import { evidence, grouped, threshold } from "../../core/verdict/numbers.ts";
import { table } from "../table.ts";
import type { Replay } from "./read.ts";

const WORDS = { rollback: "roll back", pause: "pause", hold: "hold" } as const;

/** The arithmetic of each guard, for people. */
export function replayText(readings: readonly Replay[], leftOut: number): string {
  if (readings.length === 0) return "No evidence: hold.";
  const rows = readings.map(({ guard, candidate, stable, log10_e, threshold: limit, verdict }) => [
    guard,
    of(candidate),
    of(stable),
    evidence(log10_e),
    threshold(limit),
    WORDS[verdict],
  ]);
  const head = ["guard", "candidate bad", "stable bad", "evidence", "threshold", "verdict"];
  const missing =
    leftOut > 0
      ? [`${grouped(leftOut)} requests at further weights were left out, as the router leaves them out.`]
      : [];
  return [table(head, rows, [1, 2, 3, 4]), "", verdictText(readings), ...missing].join("\n");
}

/** As the router does: a guard that rolls back wins over one that only pauses. */
function verdictText(readings: readonly Replay[]): string {
  const by = (verdict: Replay["verdict"]) => readings.find((reading) => reading.verdict === verdict);
  const [breach, pause] = [by("rollback"), by("pause")];
  if (breach !== undefined) return `Verdict: roll back (${breach.arithmetic}).`;
  if (pause !== undefined)
    return `Verdict: pause (${pause.arithmetic}, and the stable color is above it, too).`;
  return "Verdict: hold.";
}

function of(side: Replay["candidate"]): string {
  return side === undefined ? "–" : `${grouped(side.bad)} of ${grouped(side.requests)}`;
}
