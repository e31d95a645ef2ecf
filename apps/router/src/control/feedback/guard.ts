import { INFERIOR_ODDS } from "../../core/evidence/pairs.ts";
import { SHIFT_RATIOS } from "../../core/evidence/relative-rate.ts";
import { number, only } from "../rollout/guard-kinds.ts";
import type { GuardKind, MadeGuard } from "../rollout/ports.ts";
import { TRUTH_KIND, TRUTH_PAIRS } from "./evidence.ts";

/** A limit by default: the stable color's errors stay below it for this share of its requests. */
const SHARE_BELOW = 0.75;
/** How many times as often errors may be above the limit is bet on as for a shift, and on more: a broken model is no shift. */
export const TRUTH_RATIOS: readonly number[] = [...SHIFT_RATIOS, 10];

/** The least absolute error that a share `q` of a version's requests stay below; undefined where too little is known. */
export type ErrorQuantile = (digest: string, q: number) => number | undefined;

/**
 * Delayed truth. `limit` (default: the upper quartile of the stable color's absolute errors, frozen at the start): errors above it,
 * more than `phi0` times as often as the stable color's, roll back. With `expect: better` the pairs of a shadow must show that the
 * candidate wins with odds above `odds`, and losing more than half of them rolls back.
 */
export function truthGuard(errorQuantile: ErrorQuantile): GuardKind {
  const usualLimit = (digest: string) => rounded(errorQuantile(digest, SHARE_BELOW));
  return {
    name: "truth",
    usual: ({ expect, stable }) => expect === "better" || usualLimit(stable.digest) !== undefined,
    make: (options, { expect, stable }) => {
      const { limit: given, phi0 = 1, odds } = only(options, "truth", ["limit", "phi0", "odds"]);
      const limit = given === undefined ? usualLimit(stable.digest) : atLeastZero(given);
      const errors = limit === undefined ? {} : errorsAbove(limit, number(phi0, "truth.phi0"));
      if (expect === "better") return withPairs(errors, number(odds ?? INFERIOR_ODDS, "truth.odds"));
      if (odds !== undefined) {
        throw new RangeError('guards.truth: "odds" is about pairs; expected it with expect: "better" only.');
      }
      if (limit !== undefined) return errors;
      throw new RangeError(
        'guards.truth: "limit" is missing, and fewer than 100 actual values of the stable color are known to take their upper quartile; expected a number.',
      );
    },
  };
}

function errorsAbove(limit: number, phi0: number): MadeGuard {
  const tally = `${TRUTH_KIND}:${limit}`; // counts by another limit are other counts
  return {
    rollback: [{ kind: "relative", name: "truth", tally, phi0, ratios: TRUTH_RATIOS }],
    tallies: [{ name: tally, kind: TRUTH_KIND, parameters: { limit } }],
  };
}

function withPairs({ rollback = [], ...errors }: MadeGuard, odds: number): MadeGuard {
  const worse = { kind: "inferior", name: "worse on the same trips", pairs: TRUTH_PAIRS, odds: 1 } as const;
  const notWorse = {
    kind: "not_inferior",
    name: "not worse on the same trips",
    pairs: TRUTH_PAIRS,
    odds,
  } as const;
  return { ...errors, rollback: [...rollback, worse], promotion: [notWorse] };
}

function atLeastZero(value: unknown): number {
  const limit = number(value, "truth.limit");
  if (limit >= 0) return limit;
  throw new RangeError(`guards.truth.limit is ${limit}; expected a number of at least 0.`);
}

/** Three digits, as people read it. */
const rounded = (value: number | undefined) =>
  value === undefined ? undefined : Number(value.toPrecision(3));
