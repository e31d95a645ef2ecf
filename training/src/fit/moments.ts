import type { Recipe } from "@sluice/model";
import type { Trips } from "../data/trips.ts";
import { InputProblem } from "../problem.ts";

/** The sums from which a least-squares fit follows; rows themselves are not kept. */
export interface Moments {
  readonly rows: number;
  readonly names: readonly string[];
  readonly mean: Float64Array;
  readonly targetMean: number;
  /** Centred sums of products of the columns, p × p by rows, upper triangle. */
  readonly products: Float64Array;
  /** Centred sums of products of the columns with the target. */
  readonly withTarget: Float64Array;
}

/** Rows that decide where a column's values are shifted to before they are squared. */
const SHIFT_ROWS = 101;

/**
 * Adds up a recipe's features over the given trips, in one pass.
 *
 * Values are shifted by a column's median over the first rows, so that squares of a large offset (the year 2012) do not
 * swallow the digits of its variation. Most features are 0 on most trips, their median too, and zeros cost nothing.
 * @throws InputProblem that names the column and the row when a feature is not finite.
 */
export function addUp(recipe: Recipe, trips: Trips, rows: Uint32Array): Moments {
  const p = recipe.features.length;
  const names = recipe.features.map((feature) => feature.name);
  const shift = shifts(recipe, trips, rows);
  const values = new Float64Array(p);
  const at = new Int32Array(p);
  const found = new Float64Array(p);
  const sums = new Float64Array(p);
  const products = new Float64Array(p * p);
  const withTarget = new Float64Array(p);
  const targetShift = rows.length > 0 ? trips.fare(rows[0]!) : 0;
  let targetSum = 0;
  for (const row of rows) {
    recipe.compute(trips.inputs(row), values, 0);
    const target = trips.fare(row) - targetShift;
    targetSum += target;
    let n = 0;
    for (let j = 0; j < p; j++) {
      const value = values[j]! - shift[j]!;
      if (value === 0) continue;
      if (!Number.isFinite(value)) throw notFinite(names[j]!, row, values[j]!);
      at[n] = j;
      found[n++] = value;
      sums[j]! += value;
      withTarget[j]! += value * target;
    }
    addProducts(products, p, at, found, n);
  }
  centre(products, withTarget, sums, targetSum, rows.length);
  const mean = sums.map((sum, j) => shift[j]! + sum / rows.length);
  return {
    rows: rows.length,
    names,
    mean,
    targetMean: targetShift + targetSum / rows.length,
    products,
    withTarget,
  };
}

function addProducts(
  products: Float64Array,
  p: number,
  at: Int32Array,
  found: Float64Array,
  n: number,
): void {
  for (let a = 0; a < n; a++) {
    const base = at[a]! * p;
    const value = found[a]!;
    for (let b = a; b < n; b++) products[base + at[b]!]! += value * found[b]!;
  }
}

function centre(
  products: Float64Array,
  withTarget: Float64Array,
  sums: Float64Array,
  targetSum: number,
  rows: number,
): void {
  const p = sums.length;
  for (let i = 0; i < p; i++) {
    withTarget[i]! -= (sums[i]! * targetSum) / rows;
    for (let j = i; j < p; j++) products[i * p + j]! -= (sums[i]! * sums[j]!) / rows;
  }
}

function shifts(recipe: Recipe, trips: Trips, rows: Uint32Array): Float64Array {
  const p = recipe.features.length;
  const first = rows.subarray(0, SHIFT_ROWS);
  const values = new Float64Array(first.length * p);
  for (const [i, row] of first.entries()) recipe.compute(trips.inputs(row), values, i * p);
  return Float64Array.from({ length: p }, (_, j) => {
    const column = Float64Array.from(first, (_row, i) => values[i * p + j]!).sort();
    const median = column[column.length >> 1] ?? 0;
    return Number.isFinite(median) ? median : 0;
  });
}

function notFinite(name: string, row: number, value: number): InputProblem {
  return new InputProblem(`column "${name}" is ${value} in clean row ${row + 1}: no fit is possible.`);
}
