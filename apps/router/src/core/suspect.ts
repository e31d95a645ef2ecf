/** Below this many requests waiting, silence says nothing. */
export const SUSPECT_WAITING = 5;
/** Shorter silence is never suspicious, in milliseconds. */
export const SUSPECT_FLOOR = 100;
/** A color that was not measured yet may simply be slower than the others. */
const UNMEASURED_FLOOR = 1000;
const SUSPECT_FACTOR = 10;

/**
 * How long a target may be silent while {@link SUSPECT_WAITING} requests wait for it, in milliseconds: ten times its
 * color's p95, at least 100 ms. Where the color has no p95 yet, the slowest other color's stands in and the floor is
 * 1 s; where no color has one, silence is never suspicious.
 */
export function silenceAllowed(own: number | undefined, slowestOther: number | undefined): number {
  if (own !== undefined) return Math.max(SUSPECT_FACTOR * own, SUSPECT_FLOOR);
  if (slowestOther === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(SUSPECT_FACTOR * slowestOther, UNMEASURED_FLOOR);
}
