import { logBelow } from "./absolute-rate.ts";
import { logMeanExp } from "./log-math.ts";
import { relativeParts, SHIFT_RATIOS } from "./relative-rate.ts";
import type { Counts, Tally } from "./tally.ts";

/**
 * Pairs of absolute errors on the same trips: in `bad` of `requests` pairs the candidate's was the larger. Ties are left out.
 * The sign test is the relative rate at a weight of one half: the odds of winning take the place of the relative risk.
 */
export function pairsTally({ requests, bad }: Counts, counted: "wins" | "losses"): Tally {
  const [own, other] = counted === "wins" ? [requests - bad, bad] : [bad, requests - bad];
  const counts = (n: number) => ({ requests: n, bad: n });
  return { strata: [{ rho: 0.5, candidate: counts(own), stable: counts(other) }], leftOut: 0 };
}

/** The odds of winning under which a candidate counts as inferior, unless a rollout says otherwise: it wins 45 %. */
export const INFERIOR_ODDS = 0.45 / 0.55;

/** Each bet's log-likelihood ratio that the odds of winning are above `odds` ("wins"), or those of losing ("losses"). */
export function pairParts(pairs: Counts, odds: number, counted: "wins" | "losses"): number[] {
  return relativeParts(pairsTally(pairs, counted), { phi0: odds, ratios: SHIFT_RATIOS });
}

/** ln of the evidence that the candidate is not inferior: it wins with odds above `odds`. 1 asks for "better". */
export function logNotInferior(pairs: Counts, odds: number = INFERIOR_ODDS): number {
  return logMeanExp(pairParts(pairs, odds, "wins"));
}

/** ln of the evidence that the candidate is worse: it loses with odds above `odds`, 1 by default. */
export function logInferior(pairs: Counts, odds = 1): number {
  return logMeanExp(pairParts(pairs, odds, "losses"));
}

/** ln of the evidence that fewer than `limit` of shadow pairs disagree; `bad` are those that do. 363 of 363 reach 20 at 1 %. */
export function logAgreement(pairs: Counts, limit: number): number {
  return logBelow(pairs, limit);
}
