/** How far predictions are from the fares, US dollars; `r2` is the share of the fares' variance that they explain. */
export interface Metrics {
  readonly rmse: number;
  readonly mae: number;
  readonly r2: number;
  readonly n: number;
}

/** Compares predictions with fares, both US dollars. `r2` is 0 when all fares are the same. */
export function measure(fares: ArrayLike<number>, predictions: ArrayLike<number>): Metrics {
  const n = fares.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += fares[i]!;
  const mean = sum / n;
  let squares = 0;
  let absolute = 0;
  let variance = 0;
  for (let i = 0; i < n; i++) {
    const error = predictions[i]! - fares[i]!;
    squares += error * error;
    absolute += Math.abs(error);
    variance += (fares[i]! - mean) ** 2;
  }
  return {
    rmse: Math.sqrt(squares / n),
    mae: absolute / n,
    r2: variance > 0 ? 1 - squares / variance : 0,
    n,
  };
}

/** The interval that holds the RMSE of all such trips with 95 % confidence, by the normal law of the mean square. */
export function rmseInterval(fares: ArrayLike<number>, predictions: ArrayLike<number>): [number, number] {
  const squares = Float64Array.from(fares, (fare, i) => (predictions[i]! - fare) ** 2);
  const mean = squares.reduce((sum, square) => sum + square, 0) / squares.length;
  const variance = squares.reduce((sum, square) => sum + (square - mean) ** 2, 0) / squares.length;
  const margin = 1.96 * Math.sqrt(variance / squares.length);
  return [Math.sqrt(Math.max(0, mean - margin)), Math.sqrt(mean + margin)];
}
