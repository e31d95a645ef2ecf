import { z } from "zod";

/** Rows with the predictions that a version was trained to give: what a deploy and a rollout's gate compare with. */

export interface GoldenRow {
  readonly trip: object;
  /** US dollars, before rounding. */
  readonly fare_amount: number;
}

/** How far a prediction may be from what the artifact says, relative to it. */
export const GOLDEN_TOLERANCE = 1e-9;

const golden = z.array(z.object({ trip: z.looseObject({}), fare_amount: z.number() })).min(1);
/** What is read of `GET /model`. */
export const modelSchema = z.object({ version: z.string(), digest: z.string(), golden });
export type ModelFacts = z.infer<typeof modelSchema>;

/** The body that asks for predictions of these rows. */
export const questionOf = (trips: readonly object[]): string => JSON.stringify({ data: trips });

/**
 * The end of a sentence about the first row that is answered otherwise than it should be. Answers are rounded to the cent: what is
 * right is the rounded value of anything within the tolerance.
 * @param first number of the first row, for the sentence; `unrounded`: answers may also be what the artifact says, to the tolerance
 */
export function wrongRow(
  rows: readonly GoldenRow[],
  got: readonly (number | undefined)[],
  { tolerance = GOLDEN_TOLERANCE, first = 0, unrounded = false } = {},
): string | undefined {
  for (const [i, { fare_amount: wanted }] of rows.entries()) {
    if (got[i] !== undefined && isRounded(got[i], wanted, tolerance)) continue;
    if (unrounded && Math.abs((got[i] ?? Number.NaN) - wanted) <= Math.abs(wanted) * tolerance) continue;
    return `answers golden row ${first + i} with ${got[i]}; the artifact says ${cents(wanted)} (${wanted})`;
  }
  return undefined;
}

function isRounded(got: number, wanted: number, tolerance: number): boolean {
  const slack = Math.abs(wanted) * tolerance;
  return [wanted - slack, wanted, wanted + slack].some((value) => Math.abs(got - cents(value)) <= slack);
}

const cents = (fare: number): number => Math.round(fare * 100) / 100;
