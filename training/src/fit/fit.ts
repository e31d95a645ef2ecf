import type { Feature } from "@sluice/model/fitting";
import { Matrix } from "ml-matrix";
import MultivariateLinearRegression from "ml-regression-multivariate-linear";
import { InputProblem } from "../problem.ts";
import { cholesky, solveTransposed } from "./cholesky.ts";
import type { Moments } from "./moments.ts";

/** What was fitted: the columns that were kept, and for each its scaling and its coefficient. */
export interface Fit {
  readonly features: readonly Feature[];
  readonly mean: readonly number[];
  readonly sd: readonly number[];
  /** US dollars for one standard deviation. */
  readonly coefficients: readonly number[];
  /** US dollars at the mean of every column. */
  readonly intercept: number;
  /** One sentence for each column that was left out, naming it. */
  readonly leftOut: readonly string[];
}

/** Standard deviation of what a fare has beyond any model, US dollars: the measure for a feature's prior. */
const NOISE = 3.6;

/** Below this share of its mean, a column's standard deviation is rounding, not variation. */
const LEAST_VARIATION = 1e-9;

/**
 * Fits a linear regression to summed-up rows.
 *
 * ml-regression-multivariate-linear forms XᵀX itself, which is slow on many rows, squares the condition number and breaks
 * in silence on columns that are unscaled, constant or collinear. So the columns are scaled first, and the rows are
 * reduced to the triangle R of their QR factorisation: least squares on (R, Qᵀy) have the same solution. A feature's prior
 * becomes one more row, which says "about 0" with the prior's weight.
 * @throws InputProblem when there are too few rows for the columns.
 */
export function fitLinear(features: readonly Feature[], moments: Moments): Fit {
  if (moments.rows <= features.length) {
    const rows = `${moments.rows} rows are too few to fit ${features.length} features`;
    throw new InputProblem(`${rows}: at least ${features.length + 1} are needed.`);
  }
  const { varying, sd, leftOut } = findVarying(features, moments);
  const p = varying.length;
  const correlations = new Float64Array(p * p);
  const withTarget = new Float64Array(p);
  for (let i = 0; i < p; i++) {
    withTarget[i] = moments.withTarget[varying[i]!]! / (sd[i]! * moments.rows);
    for (let j = i; j < p; j++) {
      const product = moments.products[varying[i]! * features.length + varying[j]!]!;
      correlations[i * p + j] = product / (sd[i]! * sd[j]! * moments.rows);
    }
  }
  const { r, collinear } = cholesky(correlations, p);
  const kept = varying.map((_, i) => i).filter((i) => !collinear.includes(i));
  for (const i of collinear)
    leftOut.push(`column "${features[varying[i]!]!.name}" is a sum of others: it is left out.`);
  const weights = kept.map((i) => priorWeight(features[varying[i]!]!, sd[i]!, moments.rows));
  const coefficients = regress(r, p, kept, solveTransposed(r, p, withTarget), weights);
  return {
    features: kept.map((i) => features[varying[i]!]!),
    mean: kept.map((i) => moments.mean[varying[i]!]!),
    sd: kept.map((i) => sd[i]!),
    coefficients,
    intercept: moments.targetMean,
    leftOut,
  };
}

/** The columns that are not constant, with their standard deviations. */
function findVarying(features: readonly Feature[], moments: Moments) {
  const varying: number[] = [];
  const sd: number[] = [];
  const leftOut: string[] = [];
  features.forEach((feature, j) => {
    const variance = moments.products[j * features.length + j]! / moments.rows;
    const deviation = Math.sqrt(Math.max(0, variance));
    if (deviation > LEAST_VARIATION * Math.max(1, Math.abs(moments.mean[j]!))) {
      varying.push(j);
      sd.push(deviation);
    } else {
      leftOut.push(`column "${feature.name}" is ${moments.mean[j]} in every row: it is left out.`);
    }
  });
  if (varying.length === 0) throw new InputProblem("every column is constant: there is nothing to fit.");
  return { varying, sd, leftOut };
}

/** The weight of the row that says "about 0" of a scaled column, beside rows that were divided by √rows. */
function priorWeight(feature: Feature, sd: number, rows: number): number {
  return feature.prior === undefined ? 0 : NOISE / (feature.prior * sd * Math.sqrt(rows));
}

function regress(
  r: Float64Array,
  p: number,
  kept: readonly number[],
  z: Float64Array,
  weights: readonly number[],
): number[] {
  const triangle = kept.map((i) => kept.map((j) => r[i * p + j]!));
  const priors = weights.map((weight, i) => weights.map((_, j) => (i === j ? weight : 0)));
  const x = new Matrix([...triangle, ...priors]);
  const y = Matrix.columnVector([...kept.map((i) => z[i]!), ...weights.map(() => 0)]);
  const regression = new MultivariateLinearRegression(x, y, { intercept: false, statistics: false });
  const coefficients = regression.weights.map((row) => row[0]!);
  if (!coefficients.every(Number.isFinite)) throw new Error("the regression gave no finite coefficients");
  return coefficients;
}
