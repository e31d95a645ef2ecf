import { checkInside } from "./check.ts";
import { logMeanExp, timesLog } from "./log-math.ts";
import type { Counts } from "./tally.ts";

/** Rates, as parts of the limit, that evidence for "below the limit" bets on. */
export const BELOW: readonly number[] = [0, 1 / 4, 1 / 2];
/** And for "above it". */
export const ABOVE: readonly number[] = [2, 4, 10];

/**
 * ln of the evidence that the rate is below `limit`, against the null that it is `limit` or more: what promotion asks for, and what
 * certifies that shadow pairs agree. The likelihood ratio of each rate that is bet on, mixed.
 * @throws RangeError unless 0 < limit < 1
 */
export function logBelow(counts: Counts, limit: number): number {
  return logMeanExp(absoluteParts(counts, limit, BELOW));
}

/** ln of the evidence that the rate is above `limit`, against the null that it is `limit` or less. @throws RangeError */
export function logAbove(counts: Counts, limit: number): number {
  return logMeanExp(absoluteParts(counts, limit, ABOVE));
}

/** Each bet's log-likelihood ratio. A rate that a limit above .1 would put at 1 or more is bet on at halfway to 1. */
export function absoluteParts(counts: Counts, limit: number, bets: readonly number[]): number[] {
  checkInside(limit, "The limit");
  return bets.map((bet) => {
    const { bad, good } = absoluteSteps(limit, bet);
    return (counts.bad === 0 ? 0 : counts.bad * bad) + (counts.requests - counts.bad) * good;
  });
}

/** What one bad and one good request add to the log-likelihood ratio of `bet` times `limit`. */
export function absoluteSteps(limit: number, bet: number): { bad: number; good: number } {
  const rate = bet * limit < 1 ? bet * limit : (1 + limit) / 2;
  return { bad: timesLog(1, rate / limit), good: Math.log1p(-rate) - Math.log1p(-limit) };
}
