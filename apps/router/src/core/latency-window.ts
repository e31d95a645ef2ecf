const PER_DOUBLING = 4;
/** The lowest bucket ends at 1/64 ms, the highest begins at about 18 minutes. */
const LOWEST_EXPONENT = -6;
const BUCKETS = 26 * PER_DOUBLING;
const HALF_LIFE = 10_000;
/** Fewer answers than this say nothing about a 95th percentile. */
const ENOUGH = 20;

/**
 * The recent 95th percentile of a color's time to the first byte, with an error of at most 19 %. Old answers fade by
 * half every ten seconds of traffic; while nothing is answered, what is known stays known.
 */
export class LatencyWindow {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #fadedAt = 0;
  #p95: number | undefined;
  #p95At = Number.NEGATIVE_INFINITY;

  /** @param milliseconds time to the first byte. @param now milliseconds on a clock that never goes back. */
  record(milliseconds: number, now: number): void {
    if (now - this.#fadedAt >= HALF_LIFE) this.#fade(now);
    const scaled = Math.floor((Math.log2(Math.max(milliseconds, 0.001)) - LOWEST_EXPONENT) * PER_DOUBLING);
    this.#counts[Math.min(Math.max(scaled, 0), BUCKETS - 1)]! += 1;
    this.#total += 1;
  }

  /** Milliseconds, an upper bound; undefined until 20 answers were seen. Computed at most ten times a second. */
  p95(now: number): number | undefined {
    if (now - this.#p95At < 100) return this.#p95;
    this.#p95At = now;
    this.#p95 = this.#total < ENOUGH ? this.#p95 : this.#quantile(0.95);
    return this.#p95;
  }

  #quantile(q: number): number {
    let rest = this.#total * q;
    let bucket = 0;
    while (bucket < BUCKETS - 1 && rest > this.#counts[bucket]!) rest -= this.#counts[bucket++]!;
    return 2 ** ((bucket + 1) / PER_DOUBLING + LOWEST_EXPONENT);
  }

  #fade(now: number): void {
    this.#fadedAt = now;
    this.#total = 0;
    for (let i = 0; i < BUCKETS; i++) this.#total += this.#counts[i]! /= 2;
  }
}
