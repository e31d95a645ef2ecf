import type { Reference } from "../evidence/prediction-drift.ts";
import type { Tally } from "../evidence/tally.ts";

/** What the data plane counts for a rollout, and how it reports it. */

/**
 * One thing that a request can be bad in. `errors`, `slow` (`after`: milliseconds), `rejected` and `assigned` are counted by
 * the exchange itself; any other kind by whoever charges it (`Exchange.charge`).
 */
export interface TallySpec {
  /** Unique in a rollout. A limit that the count depends on is part of it (`slow:250ms`), because evidence is kept by name. */
  readonly name: string;
  readonly kind: string;
  /** What its kind needs to know. */
  readonly parameters?: Readonly<Record<string, number | string>>;
}

/** The rollout that runs, as the data plane has to know it. Part of a snapshot. */
export interface RolloutView {
  readonly id: string;
  /** Names of colors. */
  readonly candidate: string;
  readonly stable: string;
  /** What is counted from this snapshot on. */
  readonly tallies: readonly TallySpec[];
  /** The stable color's predictions as they were at the start, where they are known. */
  readonly reference?: Reference | undefined;
}

/** Counts a bucket of both colors at one weight of the candidate: for people, one step at a time. */
export interface StepHistogram {
  /** The candidate's share of the two colors at assignment, 0 to 1. */
  readonly rho: number;
  readonly candidate: readonly number[];
  readonly stable: readonly number[];
}

/** A bad request of somebody with an affinity key: the control plane counts each user's first one. */
export interface BadUser {
  /** A hash of the affinity key. */
  readonly user: number;
  readonly rho: number;
  readonly candidate: boolean;
}

/** What one run of one data plane has counted for one rollout: sums since that run began. */
export interface RunReport {
  /** Unique: a process that begins anew is another run. */
  readonly run: string;
  readonly rollout: string;
  /** By name of the tally. */
  readonly tallies: Readonly<Record<string, Tally>>;
  /** By name of what is measured, such as `latency`. */
  readonly histograms: Readonly<Record<string, readonly StepHistogram[]>>;
  /** By name of the tally; the newest ones. Empty without affinity. */
  readonly users: Readonly<Record<string, readonly BadUser[]>>;
}

/** Different weights that a histogram tells apart. */
const MAX_STEPS = 64;

/** The sum of histograms, by weight. */
export function mergeHistograms(all: readonly (readonly StepHistogram[])[]): StepHistogram[] {
  const byRho = new Map<number, StepHistogram>();
  for (const one of all.flat()) {
    const before = byRho.get(one.rho);
    byRho.set(one.rho, before === undefined ? one : combined(before, one, 1));
  }
  return [...byRho.values()].sort((a, b) => a.rho - b.rho).slice(0, MAX_STEPS);
}

/** What came to a run's histogram since it was `before`. */
export function histogramGrowth(
  before: readonly StepHistogram[],
  now: readonly StepHistogram[],
): StepHistogram[] {
  return now.map((one) => {
    const earlier = before.find(({ rho }) => rho === one.rho);
    return earlier === undefined ? one : combined(one, earlier, -1);
  });
}

function combined(a: StepHistogram, b: StepHistogram, sign: 1 | -1): StepHistogram {
  const added = (x: readonly number[], y: readonly number[]) =>
    Array.from({ length: Math.max(x.length, y.length) }, (_, i) => (x[i] ?? 0) + sign * (y[i] ?? 0));
  return {
    rho: a.rho,
    candidate: added(a.candidate, b.candidate),
    stable: added(a.stable, b.stable),
  };
}
