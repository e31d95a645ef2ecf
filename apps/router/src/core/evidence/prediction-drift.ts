/** How far the candidate's predictions are from the stable color's, on the same traffic. It warns; a person decides. */

/** The stable color's predictions as they were when the rollout began: what both colors are counted against from then on. */
export interface Reference {
  /** Rising: the lowest, the nine deciles, the highest. What lies outside is counted at the end. */
  readonly edges: readonly number[];
  readonly q25: number;
  readonly q75: number;
  readonly deviation: number;
}

const BUCKETS = 10;

/** Freezes a sample of the stable color's predictions. @throws RangeError for fewer than 10 or one that is not finite */
export function freezeReference(sample: readonly number[]): Reference {
  if (sample.length < BUCKETS || !sample.every(Number.isFinite)) {
    throw new RangeError(`The sample has ${sample.length} predictions; expected at least 10, all finite.`);
  }
  const sorted = [...sample].sort((a, b) => a - b);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const low = Math.floor(place);
    return sorted[low]! + (place - low) * (sorted[Math.ceil(place)]! - sorted[low]!);
  };
  const mean = sample.reduce((sum, y) => sum + y, 0) / sample.length;
  const variance = sample.reduce((sum, y) => sum + (y - mean) ** 2 / sample.length, 0);
  const edges = Array.from({ length: BUCKETS + 1 }, (_, i) => at(i / BUCKETS));
  return { edges, q25: at(0.25), q75: at(0.75), deviation: Math.sqrt(variance) };
}

/** In which of the ten buckets a prediction falls. */
export function bucketOf({ edges }: Reference, prediction: number): number {
  let bucket = 0;
  while (bucket < BUCKETS - 1 && prediction > edges[bucket + 1]!) bucket++;
  return bucket;
}

/** The population stability index of two lists of shares, both above 0. */
export function psiOfShares(candidate: readonly number[], baseline: readonly number[]): number {
  return candidate.reduce((sum, c, i) => sum + (c - baseline[i]!) * Math.log(c / baseline[i]!), 0);
}

/** The 95 % point of chi-square with nine degrees of freedom. */
const CHI_SQUARE_9 = 16.918977604620448;

export interface DriftReading {
  readonly psi: number;
  /** Chance alone stays below this in 95 %; and .1, below which a shift does not matter. */
  readonly psiLimit: number;
  /** The distance (Wasserstein-1) in standard deviations of the baseline; undefined if that has none. */
  readonly distance: number | undefined;
  readonly distanceLimit: number;
  readonly drifted: boolean;
}

const ENOUGH = 0.1;

/** Compares bucket counts. Without data in both there is no drift. @throws RangeError unless there are ten counts each */
export function compareDrift(
  reference: Reference,
  stable: readonly number[],
  candidate: readonly number[],
): DriftReading {
  if (stable.length !== BUCKETS || candidate.length !== BUCKETS) {
    throw new RangeError(`${candidate.length} and ${stable.length} buckets; expected ten each.`);
  }
  const [n, m] = [total(stable), total(candidate)];
  const none = n === 0 || m === 0;
  const psi = none ? 0 : psiOfShares(smoothed(candidate, m), smoothed(stable, n));
  const psiLimit = none ? Number.POSITIVE_INFINITY : psiThreshold(n, m);
  const distance = none ? undefined : wasserstein(reference, stable, candidate, n, m);
  const drifted = psi > psiLimit || (psi > psiThreshold(n, m, 0) && (distance ?? 0) > ENOUGH);
  return { psi, psiLimit, distance, distanceLimit: ENOUGH, drifted };
}

/** What the index must exceed with `n` and `m` predictions: the larger of `floor` and what chance reaches in 5 %. */
export function psiThreshold(n: number, m: number, floor = ENOUGH): number {
  return Math.max(floor, (1 / n + 1 / m) * CHI_SQUARE_9);
}

function smoothed(counts: readonly number[], n: number): number[] {
  return counts.map((count) => (count + 0.5) / (n + BUCKETS / 2));
}

/** The area between the two distribution functions, straight within each bucket, over the baseline's deviation. */
function wasserstein(
  { edges, deviation }: Reference,
  stable: readonly number[],
  candidate: readonly number[],
  n: number,
  m: number,
): number | undefined {
  if (deviation === 0) return undefined;
  let [before, area] = [0, 0];
  for (let i = 0; i < BUCKETS; i++) {
    const after = before + candidate[i]! / m - stable[i]! / n;
    area += (edges[i + 1]! - edges[i]!) * meanAbsolute(before, after);
    before = after;
  }
  return area / deviation;
}

/** The mean of |y| while y goes straight from `a` to `b`. */
function meanAbsolute(a: number, b: number): number {
  if (a * b >= 0) return Math.abs(a + b) / 2;
  return (a * a + b * b) / (2 * (Math.abs(a) + Math.abs(b)));
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
