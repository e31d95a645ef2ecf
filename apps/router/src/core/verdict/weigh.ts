import { ABOVE, absoluteParts, absoluteSteps, BELOW } from "../evidence/absolute-rate.ts";
import type { Evidence } from "../evidence/evidence.ts";
import { logMeanExp } from "../evidence/log-math.ts";
import { pairParts } from "../evidence/pairs.ts";
import { presentRates, relativeParts, relativeSteps, SHIFT_RATIOS } from "../evidence/relative-rate.ts";
import { type Counts, countsOf, EMPTY_TALLY, NO_COUNTS, type Tally } from "../evidence/tally.ts";
import type { Guard } from "./guards.ts";

/** A guard's evidence: the parts of its mixture, and what each grows by if things stay as they are. */
export interface Weighed {
  /** The natural logarithm of the evidence. */
  readonly log: number;
  /** Log-likelihood ratios that are mixed, each with the same weight. */
  readonly parts: readonly number[];
  /** What one more request (or pair) adds to each part on average; undefined while nothing is known of the rates. */
  readonly growth: readonly number[] | undefined;
  readonly unit: "requests" | "pairs";
}

export function weigh(guard: Guard, evidence: Evidence, rho: number): Weighed {
  const weighed = "pairs" in guard ? weighPairs(guard, evidence) : weighTally(guard, evidence, rho);
  return { ...weighed, log: logMeanExp(weighed.parts) };
}

type Parts = Omit<Weighed, "log">;

export function tallyOf(guard: Extract<Guard, { tally: string }>, evidence: Evidence): Tally {
  return evidence.tallies[guard.tally] ?? EMPTY_TALLY;
}

export function pairsOf(guard: Extract<Guard, { pairs: string }>, evidence: Evidence): Counts {
  return evidence.pairs[guard.pairs] ?? NO_COUNTS;
}

function weighTally(guard: Extract<Guard, { tally: string }>, evidence: Evidence, rho: number): Parts {
  const tally = tallyOf(guard, evidence);
  if (guard.kind === "relative") {
    const rates = rho > 0 && rho < 1 ? presentRates(tally) : undefined;
    const growth = rates && guard.ratios.map((ratio) => relativeGrowth(rho, guard.phi0, ratio, rates));
    return { parts: relativeParts(tally, guard), growth, unit: "requests" };
  }
  if (guard.kind === "below") return absolute(countsOf(tally, "candidate"), guard.max, BELOW, rho);
  return breach(tally, guard.max, rho);
}

function relativeGrowth(
  rho: number,
  phi0: number,
  ratio: number,
  rates: { readonly candidate: number; readonly stable: number },
): number {
  const step = relativeSteps(rho, phi0, ratio);
  return rho * rates.candidate * step.candidate + (1 - rho) * rates.stable * step.stable;
}

/**
 * A breach, with half the bet on all before 100 % and half on the bake at 100 %: a fault that begins there must not first
 * use up the credit of good hours.
 */
function breach(tally: Tally, max: number, rho: number): Parts {
  const groups = [(at: number) => at < 1, (at: number) => at >= 1];
  const all = groups.map((passes) => absolute(countsOf(tally, "candidate", passes), max, ABOVE, rho));
  const growth = all.flatMap((one, i) => (groups[i]!(rho) ? one.growth : ABOVE.map(() => 0)));
  const known = all.some((one, i) => groups[i]!(rho) && one.growth !== undefined);
  return {
    parts: all.flatMap(({ parts }) => parts),
    growth: known ? growth.map((part) => part ?? 0) : undefined,
    unit: "requests",
  };
}

/** `share` is the part of requests that count. */
function absolute(counts: Counts, limit: number, bets: readonly number[], share: number): Parts {
  const rate = counts.requests > 0 ? counts.bad / counts.requests : undefined;
  const growth = bets.map((bet) => {
    const { bad, good } = absoluteSteps(limit, bet);
    return share * ((rate === 0 ? 0 : (rate ?? 0) * bad) + (1 - (rate ?? 0)) * good);
  });
  return {
    parts: absoluteParts(counts, limit, bets),
    growth: rate === undefined || share === 0 ? undefined : growth,
    unit: "requests",
  };
}

function weighPairs(guard: Extract<Guard, { pairs: string }>, evidence: Evidence): Parts {
  const pairs = pairsOf(guard, evidence);
  if (guard.kind === "agreement") return { ...absolute(pairs, guard.max, BELOW, 1), unit: "pairs" };
  const counted = guard.kind === "not_inferior" ? "wins" : "losses";
  const parts = pairParts(pairs, guard.odds, counted);
  const lost = pairs.bad / pairs.requests;
  // the sign test is the relative rate at one half, where every pair speaks
  const [own, other] = counted === "wins" ? [1 - lost, lost] : [lost, 1 - lost];
  const rates = { candidate: 2 * own, stable: 2 * other };
  const growth = SHIFT_RATIOS.map((ratio) => relativeGrowth(0.5, guard.odds, ratio, rates));
  return { parts, growth: pairs.requests > 0 ? growth : undefined, unit: "pairs" };
}
