import { type GoldenRow, wrongRow } from "../../../checks/golden.ts";
import { CliError } from "../../errors.ts";
import type { PredictionAnswer } from "./answers.ts";

/**
 * Compares an answer with the golden rows that it was asked for.
 * @param who names the answerer in the sentence
 * @throws CliError the first row that differs
 */
export function checkGolden(
  who: string,
  rows: readonly GoldenRow[],
  { predictions }: PredictionAnswer,
  first = 0,
): void {
  const fares = predictions.map(({ fare_amount }) => fare_amount);
  const wrong = wrongRow(rows, fares, { first });
  if (wrong !== undefined) throw new CliError(`${who} ${wrong}.`);
}
