/** Sums of likelihoods overflow long before their logarithms do, so evidence is kept and added in logarithms. */

/** ln of the mean of exp(values): the logarithm of a mixture whose parts weigh the same. -Infinity parts are parts of 0. */
export function logMeanExp(values: ArrayLike<number>): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) if (values[i]! > largest) largest = values[i]!;
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i]! - largest);
  return largest + Math.log(sum / values.length);
}

/** `count` times ln(`x`), where 0 times the logarithm of 0 is 0. */
export function timesLog(count: number, x: number): number {
  return count === 0 ? 0 : count * Math.log(x);
}

/**
 * ln of the binomial probability of `k` in `n` at `p`, by Loader's saddle point (Fast and accurate computation of
 * binomial probabilities, 2000): the difference of log-gammas has lost six digits at a count of 1e9, this none.
 */
export function logBinomial(k: number, n: number, p: number): number {
  if (p <= 0) return k === 0 ? 0 : Number.NEGATIVE_INFINITY;
  if (p >= 1) return k === n ? 0 : Number.NEGATIVE_INFINITY;
  if (k === 0) return n * Math.log1p(-p);
  if (k === n) return n * Math.log(p);
  const rest = n - k;
  const errors = stirlingError(n) - stirlingError(k) - stirlingError(rest);
  const shape = errors - deviance(k, n * p) - deviance(rest, n * (1 - p));
  return shape + 0.5 * (Math.log(n) - Math.log(2 * Math.PI) - Math.log(k) - Math.log(rest));
}

const TABLE = Float64Array.from({ length: 16 }, (_, n) => (n === 0 ? 0 : exactStirlingError(n)));

/** ln(n!) less Stirling's formula, for n of at least 1. */
function stirlingError(n: number): number {
  if (n < TABLE.length) return TABLE[n]!;
  const square = n * n;
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / n;
}

function exactStirlingError(n: number): number {
  let logFactorial = 0;
  for (let i = 2; i <= n; i++) logFactorial += Math.log(i);
  return logFactorial - (n + 0.5) * Math.log(n) + n - 0.5 * Math.log(2 * Math.PI);
}

/** x ln(x / mean) + mean - x, without cancellation where the two are close. */
function deviance(x: number, mean: number): number {
  if (Math.abs(x - mean) >= 0.1 * (x + mean)) return x * Math.log(x / mean) + mean - x;
  const v = (x - mean) / (x + mean);
  let sum = (x - mean) * v;
  let term = 2 * x * v;
  for (let j = 1; j < 1000; j++) {
    term *= v * v;
    const next = sum + term / (2 * j + 1);
    if (next === sum) break;
    sum = next;
  }
  return sum;
}
