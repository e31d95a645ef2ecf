import { evidence, grouped, threshold } from "../../core/verdict/numbers.ts";
import type { Reading } from "../../core/verdict/reading.ts";
import { table } from "../table.ts";

/** The arithmetic of each guard, for people. */
export function replayText(readings: readonly Reading[], leftOut: number): string {
  if (readings.length === 0) return "No evidence: hold.";
  const rows = readings.map(({ guard, candidate, stable, log10_e, threshold: limit, reached }) => [
    guard,
    of(candidate),
    of(stable),
    evidence(log10_e),
    threshold(limit),
    reached ? "roll back" : "hold",
  ]);
  const head = ["guard", "candidate bad", "stable bad", "evidence", "threshold", "verdict"];
  const breach = readings.find(({ reached }) => reached);
  const verdict = breach ? `Verdict: roll back (${breach.arithmetic}).` : "Verdict: hold.";
  const missing =
    leftOut > 0
      ? [`${grouped(leftOut)} requests at further weights were left out, as the router leaves them out.`]
      : [];
  return [table(head, rows, [1, 2, 3, 4]), "", verdict, ...missing].join("\n");
}

function of(side: Reading["candidate"]): string {
  return side === undefined ? "–" : `${grouped(side.bad)} of ${grouped(side.requests)}`;
}
