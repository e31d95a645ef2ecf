import { LARGEST } from "./served.ts";
import type { ErrorSums } from "./sums.ts";

/** A value by row; null where there is none. */
export type Row = number | null;

/** A prediction that may be compared with actual values. */
export interface Predicted {
  readonly color: string;
  readonly digest: string;
  readonly predictions: readonly Row[];
}

/** The part that a request has in a rollout: it may become evidence. */
export interface Trial {
  /** The candidate's weight at assignment, above 0 and below 1. */
  readonly rho: number;
  /** Digests of both versions. */
  readonly candidate: string;
  readonly stable: string;
  /** Which of the two answered. */
  readonly isCandidate: boolean;
}

/** A request that was answered, and what has become known of it since. */
export interface Remembered extends Predicted {
  readonly id: string;
  readonly at: number;
  readonly trial: Trial | undefined;
  readonly user: number | undefined;
  readonly segment: Segment;
  /** Actual values by row, as far as they are known; undefined while none is. */
  actuals: Row[] | undefined;
  /** Mean absolute error over the rows whose actual values came first; undefined before. */
  error: number | undefined;
  /** What a shadow answered. */
  copy: Predicted | undefined;
  /** Errors of both over the same rows, from when they could first be compared. */
  pair: Pair | undefined;
  /** The pair has become evidence, which happens once. */
  booked: boolean;
}

/** Mean absolute errors of an answer and of the shadow's to the same request. */
export interface Pair {
  readonly main: number;
  readonly shadow: number;
}

/** Requests that are forgotten together. */
export interface Segment {
  /** Rising, without regard to gaps. */
  readonly number: number;
  readonly begun: number;
  /** When its newest request was answered. */
  newest: number;
  /** Predictions in it. */
  weight: number;
  readonly requests: Remembered[];
  readonly sums: Map<string, ErrorSums>;
}

/** The errors of both, once both answers and the truth of a row are known; undefined before. */
export function pairOf({ copy, actuals, predictions }: Remembered): Pair | undefined {
  if (!copy || !actuals) return undefined;
  const both = actuals.map((actual, row) =>
    predictions[row] != null && copy.predictions[row] != null ? actual : null,
  );
  const [main, shadow] = [meanError(predictions, both), meanError(copy.predictions, both)];
  return main === undefined || shadow === undefined ? undefined : { main, shadow };
}

/** A number whose square is finite, too. */
export function usable(row: Row): Row {
  return row !== null && Math.abs(row) <= LARGEST ? row : null; // NaN is no number either
}

function meanError(predictions: readonly Row[], actuals: readonly Row[]): number | undefined {
  let [sum, rows] = [0, 0];
  for (const [row, actual] of actuals.entries()) {
    const predicted = predictions[row];
    if (actual === null || predicted == null) continue;
    sum += Math.abs(predicted - actual);
    rows++;
  }
  return rows > 0 ? sum / rows : undefined;
}
