import { addSketches, EMPTY_SKETCH, type Sketch } from "./sketch.ts";

/** Why an answer was not read. */
export const SKIPS = ["busy", "memory", "too_large", "coding"] as const;
export type Skip = (typeof SKIPS)[number];

/** What was found in a color's answers since the worker began; sums of workers add. */
export interface AnswerSums {
  /** Answers with status 200 that were read. */
  readonly read: number;
  /** Key: fault. */
  readonly faults: Readonly<Record<string, number>>;
  /** Key: skip. */
  readonly skipped: Readonly<Record<string, number>>;
  /** One number for each answer without fault: the mean of its predictions. */
  readonly predictions: Sketch;
}

export const NO_ANSWERS: AnswerSums = { read: 0, faults: {}, skipped: {}, predictions: EMPTY_SKETCH };

export function addAnswers(a: AnswerSums | undefined, b: AnswerSums | undefined): AnswerSums | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    read: a.read + b.read,
    faults: addNamed(a.faults, b.faults),
    skipped: addNamed(a.skipped, b.skipped),
    predictions: addSketches(a.predictions, b.predictions),
  };
}

function addNamed(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum: Record<string, number> = { ...a };
  for (const [key, count] of Object.entries(b)) sum[key] = (sum[key] ?? 0) + count;
  return sum;
}
