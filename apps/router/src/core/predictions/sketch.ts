import { LARGEST } from "../feedback/served.ts";

/**
 * Counts of numbers by size (DDSketch, Masson, Rim & Lee 2019): quantiles to within 2 %, in bounded space, and sketches of workers add.
 * Below 1e-6 is 0; beyond 2e15, the largest difference of two predictions, is 2e15.
 */
export interface Sketch {
  /** Count by bucket: 0 for zero, n and -n for numbers above and below it. */
  readonly counts: Readonly<Record<string, number>>;
  readonly sum: number;
}

export const EMPTY_SKETCH: Sketch = { counts: {}, sum: 0 };

const ACCURACY = 0.02;
const GAMMA = (1 + ACCURACY) / (1 - ACCURACY);
const LOG_GAMMA = Math.log(GAMMA);
const LEAST = 1e-6;
const MOST = 2 * LARGEST;
const FIRST = Math.ceil(Math.log(LEAST) / LOG_GAMMA);

function bucketOf(value: number): number {
  const size = Math.min(Math.abs(value), MOST);
  if (size < LEAST) return 0;
  const bucket = Math.ceil(Math.log(size) / LOG_GAMMA) - FIRST + 1;
  return value < 0 ? -bucket : bucket;
}

/** The number that stands for a bucket. */
function sizeAt(bucket: number): number {
  if (bucket === 0) return 0;
  const size = (2 * GAMMA ** (Math.abs(bucket) + FIRST - 1)) / (GAMMA + 1);
  return bucket < 0 ? -size : size;
}

/** A sketch that is counted into. */
export class SketchCounter {
  readonly #counts = new Map<number, number>();
  #sum = 0;

  /** @param value finite */
  add(value: number): void {
    const bucket = bucketOf(value);
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
    this.#sum += value;
  }

  sketch(): Sketch {
    return { counts: Object.fromEntries(this.#counts), sum: this.#sum };
  }
}

export function addSketches(a: Sketch, b: Sketch): Sketch {
  const counts: Record<string, number> = { ...a.counts };
  for (const [bucket, count] of Object.entries(b.counts)) counts[bucket] = (counts[bucket] ?? 0) + count;
  return { counts, sum: a.sum + b.sum };
}

/** What came to a sketch since it was `before`. */
export function sketchGrowth(before: Sketch, now: Sketch): Sketch {
  const counts: Record<string, number> = {};
  for (const [bucket, count] of Object.entries(now.counts)) {
    const more = count - (before.counts[bucket] ?? 0);
    if (more > 0) counts[bucket] = more;
  }
  return { counts, sum: now.sum - before.sum };
}

export function countOfSketch({ counts }: Sketch): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Value and count of each bucket, rising. */
export function bucketsOf({ counts }: Sketch): { readonly value: number; readonly count: number }[] {
  return Object.entries(counts)
    .map(([bucket, count]) => ({ value: sizeAt(Number(bucket)), count }))
    .sort((a, b) => a.value - b.value);
}

/** Undefined when nothing was counted. @param q 0 to 1 */
export function quantileOf(sketch: Sketch, q: number): number | undefined {
  const rank = q * (countOfSketch(sketch) - 1);
  let below = 0;
  for (const { value, count } of bucketsOf(sketch)) {
    below += count;
    if (below > rank) return value;
  }
  return undefined;
}

/** `size` numbers that are spread as the counted ones are: what a reference is frozen from. */
export function sampleOf(sketch: Sketch, size = 1000): number[] {
  const buckets = bucketsOf(sketch);
  const total = countOfSketch(sketch);
  if (total === 0) return [];
  const sample: number[] = [];
  let [at, below] = [0, buckets[0]!.count];
  for (let i = 0; i < size; i++) {
    const rank = ((i + 0.5) / size) * total;
    while (below < rank && at < buckets.length - 1) below += buckets[++at]!.count;
    sample.push(buckets[at]!.value);
  }
  return sample;
}
