/** How much of a column's variance must be its own, beside the columns before it, for the fit to tell it apart. */
export const LEAST_OWN_VARIANCE = 1e-10;

/**
 * Factors a correlation matrix (p × p by rows) into RᵀR, R upper triangular, which is the R of the columns' QR
 * factorisation, so that least squares on R are least squares on all rows.
 * Columns whose own variance is nothing beside the earlier ones are left out; their rows and columns in R are 0.
 */
export function cholesky(correlations: Float64Array, p: number): { r: Float64Array; collinear: number[] } {
  const r = Float64Array.from(correlations);
  const collinear: number[] = [];
  for (let k = 0; k < p; k++) {
    const pivot = r[k * p + k]!;
    if (pivot < LEAST_OWN_VARIANCE) {
      collinear.push(k);
      for (let j = 0; j < p; j++) r[k * p + j] = 0;
      continue;
    }
    const root = Math.sqrt(pivot);
    for (let j = 0; j < k; j++) r[k * p + j] = 0;
    for (let j = k; j < p; j++) r[k * p + j]! /= root;
    for (let i = k + 1; i < p; i++) {
      const factor = r[k * p + i]!;
      if (factor !== 0) for (let j = i; j < p; j++) r[i * p + j]! -= factor * r[k * p + j]!;
    }
  }
  for (const k of collinear) for (let i = 0; i < k; i++) r[i * p + k] = 0;
  return { r, collinear };
}

/** Solves Rᵀ z = b by forward substitution; rows whose pivot is 0 give 0. */
export function solveTransposed(r: Float64Array, p: number, b: Float64Array): Float64Array {
  const z = new Float64Array(p);
  for (let k = 0; k < p; k++) {
    const pivot = r[k * p + k]!;
    if (pivot === 0) continue;
    let sum = b[k]!;
    for (let i = 0; i < k; i++) sum -= r[i * p + k]! * z[i]!;
    z[k] = sum / pivot;
  }
  return z;
}
