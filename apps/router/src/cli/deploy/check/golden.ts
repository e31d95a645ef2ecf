import { CliError } from "../../errors.ts";
import type { GoldenRow, PredictionAnswer } from "./answers.ts";

/** How far a prediction may be from what the artifact says, relative to it. */
export const GOLDEN_TOLERANCE = 1e-9;

/**
 * Compares an answer with the golden rows that it was asked for. Answers are rounded to the cent: what is right is the
 * rounded value of anything within the tolerance.
 * @param who names the answerer in the sentence
 * @throws CliError the first row that differs
 */
export function checkGolden(
  who: string,
  rows: readonly GoldenRow[],
  { predictions }: PredictionAnswer,
  first = 0,
): void {
  for (const [i, { fare_amount: wanted }] of rows.entries()) {
    const got = predictions[i]?.fare_amount;
    if (got !== undefined && isRounded(got, wanted)) continue;
    throw new CliError(
      `${who} answers golden row ${first + i} with ${got}; the artifact says ${cents(wanted)} (${wanted}).`,
    );
  }
}

function isRounded(got: number, wanted: number): boolean {
  const slack = Math.abs(wanted) * GOLDEN_TOLERANCE;
  return [wanted - slack, wanted, wanted + slack].some((value) => Math.abs(got - cents(value)) <= slack);
}

const cents = (fare: number): number => Math.round(fare * 100) / 100;
