import { checkInside } from "./check.ts";
import { logBinomial } from "./log-math.ts";
import type { Counts } from "./tally.ts";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The rates that the counts have not refuted at level `alpha`, at this moment or any before: those whose uniform mixture has
 * evidence below 1/alpha (Robbins 1970). It may be looked at after every request and still covers the true rate with
 * probability 1 - alpha. Without data it is 0 to 1. @throws RangeError unless 0 < alpha < 1
 */
export function rateInterval({ requests, bad }: Counts, alpha: number): Interval {
  const limit = -Math.log(checkInside(alpha, "alpha"));
  const refuted = (p: number) => -Math.log1p(requests) - logBinomial(bad, requests, p) >= limit;
  const mean = requests === 0 ? 0.5 : bad / requests;
  return {
    low: bad === 0 ? 0 : edge(0, mean, refuted),
    high: bad === requests ? 1 : edge(1, mean, refuted),
  };
}

/** Halves its way to where `refuted`, true at `outside`, turns false. */
function edge(outside: number, inside: number, refuted: (p: number) => boolean): number {
  let out = outside;
  let within = inside;
  for (let i = 0; i < 100; i++) {
    const middle = (out + within) / 2;
    if (middle === out || middle === within) break;
    if (refuted(middle)) out = middle;
    else within = middle;
  }
  return within;
}
