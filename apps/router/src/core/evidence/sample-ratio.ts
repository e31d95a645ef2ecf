import { logBinomial } from "./log-math.ts";
import type { Tally } from "./tally.ts";

/**
 * ln of the evidence that requests were not assigned by the weights (sample-ratio mismatch; Lindon and Malek 2022): a fault of the
 * router or of what is counted, which makes every other comparison worthless. At each weight a uniform mixture over the
 * candidate's true share against its weight; weights multiply. Feed it with requests counted *at assignment*: counted at
 * their end, those of a slow color are still out, and clients that gave up are missing. Not with affinity, where draws repeat.
 */
export function logSampleRatio(tally: Tally): number {
  let sum = 0;
  for (const { rho, candidate, stable } of tally.strata) {
    const n = candidate.requests + stable.requests;
    if (rho > 0 && rho < 1) sum -= Math.log1p(n) + logBinomial(candidate.requests, n, rho);
  }
  return sum;
}
