import { uniform } from "../affinity.ts";

/**
 * What the data plane tells of an answered request, so that the actual values which arrive later by its id can be compared with
 * what was predicted. It goes up in reports; a record may come twice.
 */
export interface Served {
  /** `X-Request-Id`, which the client was told in its answer. */
  readonly id: string;
  /** When it was answered, in milliseconds since 1970. */
  readonly at: number;
  /** The color that answered. */
  readonly color: string;
  /** The answer's `X-Model-Digest`; empty where it has none. */
  readonly digest: string;
  /**
   * The candidate's weight at assignment, above 0 and below 1: only where the request is evidence and its first attempt, at the
   * color that it was assigned to, gave this answer.
   */
  readonly rho?: number | undefined;
  /** With affinity: the hash of the user's key, a whole number. */
  readonly user?: number | undefined;
  /** One number a row, in order; null where a row had none. At most {@link MAX_ROWS}. */
  readonly predictions: readonly (number | null)[];
  /** A copy's answer, which no client has seen. The request's own answer has the same id. */
  readonly shadow?: true;
  /**
   * Of a copy's answer: the mean of what the request's own answer predicted. Ids come from clients, who may give one id to many requests:
   * by this a copy is known to belong to the answer that is remembered.
   */
  readonly beside?: number;
}

/** Rows of one request that are remembered; a larger request is not remembered at all. */
export const MAX_ROWS = 1000;
/** Predictions and actual values beyond this, or below its negative, are none: their squares would have no sum. */
export const LARGEST = 1e15;

/** Whether a request is one of the `share` (0 to 1) that are remembered. */
export function isSampled(id: string, share: number): boolean {
  return share >= 1 || uniform(id) < share;
}
