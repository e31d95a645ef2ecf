import { checkRatio } from "./check.ts";
import { logMeanExp } from "./log-math.ts";
import { countsOf, type Tally } from "./tally.ts";

/** Relative risks, as multiples of the tolerated one, that the evidence for a worse rate bets on. */
export const RATE_RATIOS: readonly number[] = [1.5, 2, 3, 5, 10, 30];
/** The same for a shift of predictions, which is small where it matters. */
export const SHIFT_RATIOS: readonly number[] = [1.1, 1.25, 1.5, 2, 3];

export interface RelativeNull {
  /** The relative risk that is tolerated: 1 is "no worse", 1.2 is "at most a fifth worse". */
  readonly phi0: number;
  readonly ratios: readonly number[];
}

/**
 * Is the candidate's rate of bad requests more than `phi0` times the stable color's? Only bad requests speak: while the candidate
 * has the weight ρ, the next one is its own with probability θ(φ) = ρφ / (ρφ + 1 - ρ), whatever the base rate does. For
 * each φ the likelihood ratio of θ(φ) against θ(φ0) is a supermartingale as long as the true relative risk is at most φ0, and so is
 * their mean (a mixture, as in Howard et al. 2021 and Lindon et al. 2022). Weights of 0 and 1 contribute nothing.
 *
 * Returns each part's log-likelihood ratio; {@link logRelative} mixes them.
 */
export function relativeParts(tally: Tally, { phi0, ratios }: RelativeNull): number[] {
  const parts = ratios.map(() => 0);
  for (const { rho, candidate, stable } of tally.strata) {
    if (rho <= 0 || rho >= 1) continue;
    for (let k = 0; k < parts.length; k++) {
      const step = relativeSteps(rho, phi0, ratios[k]!);
      parts[k]! += candidate.bad * step.candidate + stable.bad * step.stable;
    }
  }
  return parts;
}

/** What one bad request of each color adds to the log-likelihood ratio of `phi0` times `ratio`; 0 < rho < 1. */
export function relativeSteps(
  rho: number,
  phi0: number,
  ratio: number,
): { candidate: number; stable: number } {
  const stable = Math.log1p(rho * (phi0 - 1)) - Math.log1p(rho * (phi0 * ratio - 1));
  return { candidate: Math.log(ratio) + stable, stable };
}

/** The natural logarithm of the evidence. @throws RangeError for a null that is none */
export function logRelative(tally: Tally, against: RelativeNull): number {
  checkRatio(against.phi0, "phi0");
  return logMeanExp(relativeParts(tally, against));
}

/**
 * How much more often the candidate's requests are bad, by Mantel and Haenszel over the weights, so that a base rate which drifts while
 * weights change does not distort it. Infinity when only the candidate's were, undefined without any.
 */
export function relativeRisk(tally: Tally): number | undefined {
  let up = 0;
  let down = 0;
  for (const { rho, candidate, stable } of tally.strata) {
    up += candidate.bad * (1 - rho);
    down += stable.bad * rho;
  }
  return up === 0 && down === 0 ? undefined : up / down;
}

/** Present bad rates of both colors, made consistent over changing weights: what a forecast goes on from. */
export function presentRates(tally: Tally): { candidate: number; stable: number } | undefined {
  const between = { ...tally, strata: tally.strata.filter(({ rho }) => rho > 0 && rho < 1) };
  const phi = relativeRisk(between);
  if (phi === undefined) return undefined;
  if (phi === Number.POSITIVE_INFINITY) {
    const own = countsOf(between, "candidate");
    return own.requests > 0 ? { candidate: own.bad / own.requests, stable: 0 } : undefined;
  }
  let bad = 0;
  let exposure = 0;
  for (const { candidate, stable } of between.strata) {
    bad += candidate.bad + stable.bad;
    exposure += candidate.requests * phi + stable.requests;
  }
  if (exposure === 0) return undefined;
  const base = bad / exposure;
  return { candidate: Math.min(1, base * phi), stable: Math.min(1, base) };
}
