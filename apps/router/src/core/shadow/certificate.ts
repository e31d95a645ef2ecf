import type { Evidence } from "../evidence/evidence.ts";
import { logAgreement } from "../evidence/pairs.ts";
import { ALPHA_PROMOTION } from "../verdict/guards.ts";
import type { PairSums } from "./pairs.ts";

/** Disagreements that the certificate rules out: fewer than this share of pairs. */
export const MAX_DISAGREEMENT = 0.01;

/** Whether it is shown, at 95 % and however often one looks, that fewer than 1 % of pairs disagree. */
export interface Certificate {
  readonly passed: boolean;
  readonly limit: number;
  /** Against {@link threshold}. */
  readonly evidence: number;
  readonly threshold: number;
  /** Pairs that are still needed if all of them agree; 0 once it has passed. */
  readonly missing: number;
  /** The same as a sentence. */
  readonly sentence: string;
}

/** The pairs as a rollout's evidence has them. */
export function agreementOf({ pairs, disagree }: PairSums): Evidence["pairs"][string] {
  return { requests: pairs, bad: disagree };
}

/** @param limit share, above 0 and below 1. @param alpha risk of certifying what is not so */
export function certify(
  sums: PairSums,
  limit: number = MAX_DISAGREEMENT,
  alpha: number = ALPHA_PROMOTION,
): Certificate {
  const counts = agreementOf(sums);
  const threshold = 1 / alpha;
  const enough = Math.log(threshold);
  const log = logAgreement(counts, limit);
  const passed = log >= enough;
  const missing = passed ? 0 : missingPairs(counts, limit, enough);
  const claim = `fewer than ${limit * 100} % disagree, at ${100 - alpha * 100} %`;
  const seen = `${counts.bad} of ${counts.requests} pairs disagree`;
  const sentence = passed
    ? `${seen}: ${claim}`
    : `${seen}; ${missing} more that agree would show that ${claim}`;
  return { passed, limit, evidence: Math.exp(Math.min(log, 700)), threshold, missing, sentence };
}

/** The evidence rises with every pair that agrees, in the end; the search doubles, then halves. */
function missingPairs({ requests, bad }: { requests: number; bad: number }, limit: number, enough: number) {
  const reaches = (more: number) => logAgreement({ requests: requests + more, bad }, limit) >= enough;
  let most = 1;
  while (!reaches(most)) most *= 2;
  let least = most / 2;
  while (most - least > 1) {
    const middle = Math.floor((least + most) / 2);
    if (reaches(middle)) most = middle;
    else least = middle;
  }
  return most;
}
