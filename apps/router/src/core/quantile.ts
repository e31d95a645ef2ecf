/**
 * A quantile of counted buckets, by linear interpolation within its bucket, as Prometheus' histogram_quantile does it.
 * `buckets` has one count a bound and one for everything above the highest, whose bound is then the answer.
 * Undefined when nothing was counted.
 */
export function quantile(
  q: number,
  bounds: readonly number[],
  buckets: readonly number[],
): number | undefined {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = q * total;
  let below = 0;
  for (let i = 0; i < bounds.length; i++) {
    const count = buckets[i]!;
    if (count > 0 && below + count >= rank) {
      const from = i === 0 ? 0 : bounds[i - 1]!;
      return from + (bounds[i]! - from) * ((rank - below) / count);
    }
    below += count;
  }
  return bounds.at(-1);
}
