import { checkCount, checkShare } from "./check.ts";

/** What happened: `bad` of `requests`. */
export interface Counts {
  readonly requests: number;
  readonly bad: number;
}

/** Both colors' counts at one weight of the candidate. */
export interface Stratum {
  /** The candidate's share of what the two colors were assigned, at assignment: 0 to 1. */
  readonly rho: number;
  readonly candidate: Counts;
  readonly stable: Counts;
}

/**
 * All that one guard has seen, by weight at assignment, in rising order of weight. Whole numbers, so that tallies of workers
 * and machines add to the same in any order, and every evidence can be computed again from what was recorded, with other limits too.
 */
export interface Tally {
  readonly strata: readonly Stratum[];
  /** Records at further weights, when {@link MAX_STRATA} were there already: not evidence. */
  readonly leftOut: number;
}

export const NO_COUNTS: Counts = { requests: 0, bad: 0 };
export const EMPTY_TALLY: Tally = { strata: [], leftOut: 0 };
/** Different weights that a tally tells apart. A rollout has few; to leave out later ones is the safe side. */
export const MAX_STRATA = 256;
/** Weights closer than this are one: 5 of 100 and 1 of 20 must meet. */
const RESOLUTION = 1e9;

/** A weight as tallies know it. @throws RangeError unless 0 to 1 */
export function stratumOf(rho: number): number {
  return Math.round(checkShare(rho, "The candidate's weight") * RESOLUTION) / RESOLUTION;
}

export function addCounts(a: Counts, b: Counts): Counts {
  return { requests: a.requests + b.requests, bad: a.bad + b.bad };
}

/** The sum of tallies, in whatever order they come. */
export function mergeTallies(tallies: readonly Tally[]): Tally {
  const byRho = new Map<number, Stratum>();
  for (const { strata } of tallies) {
    for (const stratum of strata) byRho.set(stratum.rho, addStrata(byRho.get(stratum.rho), stratum));
  }
  const all = [...byRho.values()].sort((a, b) => a.rho - b.rho);
  const kept = all.slice(0, MAX_STRATA);
  const lost = all.slice(MAX_STRATA).reduce((sum, s) => sum + s.candidate.requests + s.stable.requests, 0);
  return { strata: kept, leftOut: tallies.reduce((sum, { leftOut }) => sum + leftOut, lost) };
}

function addStrata(a: Stratum | undefined, b: Stratum): Stratum {
  if (a === undefined) return b;
  return {
    rho: a.rho,
    candidate: addCounts(a.candidate, b.candidate),
    stable: addCounts(a.stable, b.stable),
  };
}

/**
 * What came to a tally since it was `before`: reports are sums since a worker began. A count that went down means that another worker
 * reports in its place, and all of `now` is new.
 */
export function tallyGrowth(before: Tally, now: Tally): Tally {
  const earlier = new Map(before.strata.map((stratum) => [stratum.rho, stratum]));
  const strata = now.strata.map((stratum) => minus(stratum, earlier.get(stratum.rho)));
  const leftOut = now.leftOut - before.leftOut;
  const counts = strata.flatMap(({ candidate, stable }) => [candidate, stable]);
  const shrunk = leftOut < 0 || counts.some(({ requests, bad }) => requests < 0 || bad < 0);
  const missing = before.strata.some(({ rho }) => !now.strata.some((stratum) => stratum.rho === rho));
  return shrunk || missing ? now : { strata, leftOut };
}

function minus(now: Stratum, before: Stratum | undefined): Stratum {
  if (before === undefined) return now;
  const less = (a: Counts, b: Counts) => ({ requests: a.requests - b.requests, bad: a.bad - b.bad });
  return {
    rho: now.rho,
    candidate: less(now.candidate, before.candidate),
    stable: less(now.stable, before.stable),
  };
}

/** What one color counted, over all weights or those that pass. */
export function countsOf(
  tally: Tally,
  color: "candidate" | "stable",
  passes: (rho: number) => boolean = () => true,
): Counts {
  return tally.strata
    .filter(({ rho }) => passes(rho))
    .reduce((sum, stratum) => addCounts(sum, stratum[color]), NO_COUNTS);
}

/** Checks a tally that came from a file or another process. @throws RangeError that says what is wrong */
export function checkTally(tally: Tally): Tally {
  checkCount(tally.leftOut, "leftOut");
  for (const { rho, candidate, stable } of tally.strata) {
    checkShare(rho, "rho");
    for (const counts of [candidate, stable]) {
      checkCount(counts.requests, "requests");
      checkCount(counts.bad, "bad");
      if (counts.bad > counts.requests) {
        throw new RangeError(`${counts.bad} of ${counts.requests} requests are bad; expected at most all.`);
      }
    }
  }
  return mergeTallies([tally]);
}
