import { addSketches, EMPTY_SKETCH, quantileOf, type Sketch, SketchCounter } from "../predictions/sketch.ts";
import type { Comparison } from "./compare.ts";
import { MAX_BUCKETS } from "./slices.ts";

/** Sums over pairs; those of workers add. */
export interface PairSums {
  readonly pairs: number;
  readonly disagree: number;
  /** Pairs whose copy gave no comparable predictions; they disagree, and have no difference. */
  readonly broken: number;
  /** Of the differences, shadow minus main. */
  readonly sum: number;
  /** Of their sizes. */
  readonly sizes: Sketch;
  readonly largest: number;
}

export const NO_PAIRS: PairSums = {
  pairs: 0,
  disagree: 0,
  broken: 0,
  sum: 0,
  sizes: EMPTY_SKETCH,
  largest: 0,
};

/** One of the worst pairs. */
export interface WorstPair {
  readonly request_id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** With its query only by choice, as the body. */
  readonly path: string;
  readonly main: number;
  /** Null where the copy gave no comparable prediction. */
  readonly shadow: number | null;
  readonly difference: number | null;
  /** How the copy ended, and what was wrong with its answer, if anything was. */
  readonly outcome: string;
  readonly slices: Readonly<Record<string, string>>;
  /** The request's body; only kept by choice. */
  readonly body?: string;
}

/** Everything that is known of a pair of versions from their answers to the same requests. */
export interface PairReport {
  readonly all: PairSums;
  /** By field, then by bucket. */
  readonly slices: Readonly<Record<string, Readonly<Record<string, PairSums>>>>;
  /** The worst first. */
  readonly worst: readonly WorstPair[];
}

export const NO_PAIR_REPORT: PairReport = { all: NO_PAIRS, slices: {}, worst: [] };

/** Sums that are counted into. */
class PairCounter {
  pairs = 0;
  disagree = 0;
  broken = 0;
  #sum = 0;
  #largest = 0;
  readonly #sizes = new SketchCounter();

  add({ agrees, difference }: Comparison): void {
    this.pairs++;
    if (!agrees) this.disagree++;
    if (difference === undefined) {
      this.broken++;
      return;
    }
    const size = Math.abs(difference);
    this.#sum += difference;
    this.#sizes.add(size);
    if (size > this.#largest) this.#largest = size;
  }

  sums(): PairSums {
    const { pairs, disagree, broken } = this;
    return { pairs, disagree, broken, sum: this.#sum, sizes: this.#sizes.sketch(), largest: this.#largest };
  }
}

/** The pair without what can be personal data: its request's body and query. */
export function impersonal({ body: _, path, ...pair }: WorstPair): WorstPair {
  return { ...pair, path: path.split("?", 1)[0]! };
}

/** How bad a pair is: a broken one is worse than any difference. */
function badness({ difference }: Pick<WorstPair, "difference">): number {
  return difference === null ? Number.POSITIVE_INFINITY : Math.abs(difference);
}

/** Collects the pairs of one data-plane process. */
export class PairBook {
  readonly #all = new PairCounter();
  readonly #slices = new Map<string, Map<string, PairCounter>>();
  readonly #keep: number;
  #worst: WorstPair[] = [];

  /** @param keep how many of the worst pairs are kept */
  constructor(keep: number) {
    this.#keep = keep;
  }

  /** @param slices the bucket of each field. @param describe the pair for people; only called if it is kept */
  add(comparison: Comparison, slices: Readonly<Record<string, string>>, describe: () => WorstPair): void {
    this.#all.add(comparison);
    for (const [field, bucket] of Object.entries(slices)) this.#counter(field, bucket).add(comparison);
    const bad = badness({ difference: comparison.difference ?? null });
    if (this.#keep === 0 || bad === 0) return;
    if (this.#worst.length === this.#keep && bad <= badness(this.#worst.at(-1)!)) return;
    this.#worst = worstOf([...this.#worst, describe()], this.#keep);
  }

  report(): PairReport {
    const slices = asRecords(this.#slices, (counter) => counter.sums());
    return { all: this.#all.sums(), slices, worst: this.#worst };
  }

  #counter(field: string, named: string): PairCounter {
    let buckets = this.#slices.get(field);
    if (buckets === undefined) {
      buckets = new Map();
      this.#slices.set(field, buckets);
    }
    const bucket = bucketOf(buckets, named);
    let counter = buckets.get(bucket);
    if (counter === undefined) {
      counter = new PairCounter();
      buckets.set(bucket, counter);
    }
    return counter;
  }
}

function worstOf(pairs: readonly WorstPair[], keep: number): WorstPair[] {
  return [...pairs].sort((a, b) => badness(b) - badness(a) || 0).slice(0, keep);
}

function addPairs(a: PairSums, b: PairSums): PairSums {
  return {
    pairs: a.pairs + b.pairs,
    disagree: a.disagree + b.disagree,
    broken: a.broken + b.broken,
    sum: a.sum + b.sum,
    sizes: addSketches(a.sizes, b.sizes),
    largest: Math.max(a.largest, b.largest),
  };
}

/** The sum of what several workers have seen. @param keep how many of the worst pairs are kept */
export function mergePairReports(reports: readonly PairReport[], keep: number): PairReport {
  const slices = new Map<string, Map<string, PairSums>>();
  for (const report of reports) {
    for (const [field, buckets] of Object.entries(report.slices)) {
      const into = slices.get(field) ?? new Map<string, PairSums>();
      slices.set(field, into);
      for (const [named, sums] of Object.entries(buckets)) {
        const bucket = bucketOf(into, named);
        into.set(bucket, addPairs(into.get(bucket) ?? NO_PAIRS, sums));
      }
    }
  }
  return {
    all: reports.map(({ all }) => all).reduce(addPairs, NO_PAIRS),
    slices: asRecords(slices, (sums) => sums),
    worst: worstOf(
      reports.flatMap(({ worst }) => worst),
      keep,
    ),
  };
}

/** Clients choose the values, so they are kept in maps: an object has members of its own, such as `constructor`. */
function bucketOf(buckets: ReadonlyMap<string, unknown>, named: string): string {
  return buckets.has(named) || buckets.size < MAX_BUCKETS ? named : "other";
}

function asRecords<T>(
  slices: ReadonlyMap<string, ReadonlyMap<string, T>>,
  sums: (of: T) => PairSums,
): PairReport["slices"] {
  return Object.fromEntries(
    [...slices].map(([field, buckets]) => [
      field,
      Object.fromEntries([...buckets].map(([bucket, of]) => [bucket, sums(of)])),
    ]),
  );
}

/** Sums as people read them; null where there is nothing to divide by. */
export interface PairSummary {
  readonly pairs: number;
  readonly agree: number;
  readonly disagree: number;
  readonly broken: number;
  /** Share of pairs that agree. */
  readonly agreement: number | null;
  /** Of the differences, shadow minus main. */
  readonly mean: number | null;
  /** Of their sizes; p95 to within 2 %. */
  readonly p95: number | null;
  readonly largest: number | null;
}

export function summarize({ pairs, disagree, broken, sum, sizes, largest }: PairSums): PairSummary {
  const compared = pairs - broken;
  return {
    pairs,
    agree: pairs - disagree,
    disagree,
    broken,
    agreement: pairs > 0 ? (pairs - disagree) / pairs : null,
    mean: compared > 0 ? sum / compared : null,
    p95: compared > 0 ? Math.min(largest, quantileOf(sizes, 0.95) ?? 0) : null,
    largest: compared > 0 ? largest : null,
  };
}
