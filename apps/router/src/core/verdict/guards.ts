import { checkInside, checkRatio, checkRisk } from "../evidence/check.ts";
import { RATE_RATIOS, SHIFT_RATIOS } from "../evidence/relative-rate.ts";

interface Named {
  /** As people read it: `errors`, `slow`, `predictions high`. Unique within a rollout. */
  readonly name: string;
}

/** What can roll a candidate back. All of a rollout's share its alpha evenly. */
export type RollbackGuard =
  /** Worse than the stable color on the same minutes: more than `phi0` times as many bad requests. */
  | (Named & {
      readonly kind: "relative";
      readonly tally: string;
      readonly phi0: number;
      readonly ratios: readonly number[];
    })
  /** Above an absolute limit, whatever the stable color does: a rate above 0 and below 1. */
  | (Named & { readonly kind: "absolute"; readonly tally: string; readonly max: number })
  /** Larger errors than the stable color on the same trips: loses pairs with odds above `odds`. */
  | (Named & { readonly kind: "inferior"; readonly pairs: string; readonly odds: number });

/** What must be shown before a candidate gets all traffic. */
export type PromotionGuard =
  /** The candidate's rate is below `max`. */
  | (Named & { readonly kind: "below"; readonly tally: string; readonly max: number })
  /** Fewer than `max` of shadow pairs disagree. */
  | (Named & { readonly kind: "agreement"; readonly pairs: string; readonly max: number })
  /** The candidate wins pairs with odds above `odds`: 1 is "better", less is "not inferior". */
  | (Named & { readonly kind: "not_inferior"; readonly pairs: string; readonly odds: number });

export type Guard = RollbackGuard | PromotionGuard;

/** By what a rollout is judged. */
export interface Judgement {
  readonly rollback: readonly RollbackGuard[];
  readonly promotion: readonly PromotionGuard[];
  /** The risk that an innocent candidate is rolled back, over the whole release: above 0 and below 1. */
  readonly alpha: number;
  /** The risk, for each promotion guard, that it passes a candidate that does not fulfill it. */
  readonly alphaPromotion: number;
  /** Tally of requests counted at assignment, for the check of the draws themselves. Not with affinity. */
  readonly assigned?: string;
}

export const ALPHA = 0.01;
export const ALPHA_PROMOTION = 0.05;
/** The check of the draws is about the router, not the candidate: it takes nothing of the release's alpha, and only pauses. */
export const ALPHA_SAMPLE_RATIO = 0.001;
export const SAMPLE_RATIO = "sample ratio";

/** A guard against a higher rate of something that can be called bad. */
export function rateGuard(name: string, tally = name, phi0 = 1): RollbackGuard {
  return { kind: "relative", name, tally, phi0, ratios: RATE_RATIOS };
}

/** A guard against a shift of predictions: bad is above the stable color's upper quartile, or below its lower. */
export function shiftGuard(name: string, tally = name): RollbackGuard {
  return { kind: "relative", name, tally, phi0: 1, ratios: SHIFT_RATIOS };
}

/** What the evidence of a guard must reach. */
export function thresholdOf(judgement: Judgement, role: "rollback" | "promotion" | "check"): number {
  if (role === "check") return 1 / ALPHA_SAMPLE_RATIO;
  return role === "promotion" ? 1 / judgement.alphaPromotion : judgement.rollback.length / judgement.alpha;
}

/** Checks a judgement once, when a rollout is asked for. @throws RangeError that names what is wrong */
export function checkJudgement(judgement: Judgement): Judgement {
  const { alpha, alphaPromotion, rollback, promotion } = judgement;
  checkRisk(alpha, "alpha");
  checkRisk(alphaPromotion, "The promotion's alpha");
  const names = [...rollback, ...promotion].map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i || name === SAMPLE_RATIO);
  if (twice !== undefined)
    throw new RangeError(`There are two guards ${JSON.stringify(twice)}; names must differ.`);
  for (const guard of [...rollback, ...promotion]) checkGuard(guard);
  return judgement;
}

function checkGuard(guard: Guard): void {
  if ("max" in guard) checkInside(guard.max, `The limit of ${guard.name}`);
  if ("odds" in guard) checkRatio(guard.odds, `The odds of ${guard.name}`);
  if (guard.kind !== "relative") return;
  checkRatio(guard.phi0, `phi0 of ${guard.name}`);
  if (guard.ratios.length === 0) throw new RangeError(`${guard.name} has no ratios; expected at least one.`);
  for (const ratio of guard.ratios) {
    if (!(checkRatio(ratio, `A ratio of ${guard.name}`) > 1)) {
      throw new RangeError(`A ratio of ${guard.name} is ${ratio}; expected a number above 1.`);
    }
  }
}
