/**
 * A second opinion on latency over the whole distribution, for people: a band that holds at every moment and every
 * quantile at once (Howard and Ramdas 2022). It is right at one constant weight only, so it never decides alone.
 */

/** Half the band's width after `n` requests at level `alpha`. Infinity before the first. */
export function bandWidth(n: number, alpha: number): number {
  if (n < 1) return Number.POSITIVE_INFINITY;
  return 0.85 * Math.sqrt((Math.log(1 + Math.log(n)) + 0.8 * Math.log(1612 / alpha)) / n);
}

export interface LatencyReading {
  /** The largest excess of the stable color's share of answers within a time over the candidate's. */
  readonly distance: number;
  /** The index of the bucket at whose upper bound that is. */
  readonly bucket: number;
  /** What the distance must exceed. */
  readonly band: number;
  readonly slower: boolean;
}

/** Is the candidate slower? Both count the same buckets, not cumulative. @throws RangeError if they differ in number */
export function compareLatency(
  stable: readonly number[],
  candidate: readonly number[],
  alpha: number,
): LatencyReading {
  if (stable.length !== candidate.length) {
    throw new RangeError(`${candidate.length} buckets against ${stable.length}; expected as many.`);
  }
  const [n, m] = [total(stable), total(candidate)];
  const band = bandWidth(n, alpha / 2) + bandWidth(m, alpha / 2);
  let [ofStable, ofCandidate, distance, bucket] = [0, 0, 0, 0];
  for (let i = 0; i < stable.length; i++) {
    ofStable += n > 0 ? stable[i]! / n : 0;
    ofCandidate += m > 0 ? candidate[i]! / m : 0;
    if (n > 0 && m > 0 && ofStable - ofCandidate > distance) {
      distance = ofStable - ofCandidate;
      bucket = i;
    }
  }
  return { distance, bucket, band, slower: distance > band };
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
