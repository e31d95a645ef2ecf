import type { Recipe } from "@sluice/model/fitting";
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

/** Rows that are multiplied together: a sum is fetched and stored once for all of them, and still takes them in turn. */
const GROUP = 4;

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
  const sums = new Sums(p);
  const values = new Float64Array(GROUP * p);
  const targets = new Float64Array(GROUP);
  const targetShift = rows.length > 0 ? trips.fare(rows[0]!) : 0;
  let targetSum = 0;
  for (let start = 0; start < rows.length; start += GROUP) {
    for (let k = 0; k < GROUP; k++) {
      const row = rows[start + k];
      targets[k] = row === undefined ? 0 : trips.fare(row) - targetShift;
      targetSum += targets[k]!;
      // In the last group, rows that lack are 0 everywhere.
      if (row === undefined) values.set(shift, k * p);
      else recipe.compute(trips.inputs(row), values, k * p);
    }
    const odd = sums.add(values, shift, targets);
    if (odd >= 0) throw notFinite(names[odd % p]!, rows[start + Math.floor(odd / p)]!, values[odd]!);
  }
  return {
    rows: rows.length,
    names,
    mean: sums.columns.map((sum, j) => shift[j]! + sum / rows.length),
    targetMean: targetShift + targetSum / rows.length,
    ...centre(sums, targetSum, rows.length),
  };
}

/** Sums of the columns, of their products with one another and of those with the target. */
class Sums {
  readonly columns: Float64Array;
  readonly products: Float64Array;
  readonly withTarget: Float64Array;
  /** The columns that are not 0 in all rows of the group, and their values, those of one column together. */
  readonly #at: Int32Array;
  readonly #found: Float64Array;

  constructor(p: number) {
    this.columns = new Float64Array(p);
    this.products = new Float64Array(p * p);
    this.withTarget = new Float64Array(p);
    this.#at = new Int32Array(p);
    this.#found = new Float64Array(GROUP * p);
  }

  /** Adds a group of rows. @returns the index of a value that is not finite, else -1. */
  add(values: Float64Array, shift: Float64Array, targets: Float64Array): number {
    const { columns, withTarget } = this;
    const found = this.#found;
    const p = columns.length;
    let n = 0;
    for (let j = 0; j < p; j++) {
      const v0 = values[j]! - shift[j]!;
      const v1 = values[p + j]! - shift[j]!;
      const v2 = values[2 * p + j]! - shift[j]!;
      const v3 = values[3 * p + j]! - shift[j]!;
      if (v0 === 0 && v1 === 0 && v2 === 0 && v3 === 0) continue;
      if (!Number.isFinite(v0 + v1 + v2 + v3)) {
        const odd = values.findIndex((value) => !Number.isFinite(value));
        if (odd >= 0) return odd;
      }
      this.#at[n] = j;
      found[GROUP * n] = v0;
      found[GROUP * n + 1] = v1;
      found[GROUP * n + 2] = v2;
      found[GROUP * n + 3] = v3;
      n++;
      columns[j] = columns[j]! + v0 + v1 + v2 + v3;
      withTarget[j] =
        withTarget[j]! + v0 * targets[0]! + v1 * targets[1]! + v2 * targets[2]! + v3 * targets[3]!;
    }
    this.#multiply(n);
    return -1;
  }

  #multiply(n: number): void {
    const { products } = this;
    const at = this.#at;
    const found = this.#found;
    for (let a = 0; a < n; a++) {
      const base = at[a]! * this.columns.length;
      const v0 = found[GROUP * a]!;
      const v1 = found[GROUP * a + 1]!;
      const v2 = found[GROUP * a + 2]!;
      const v3 = found[GROUP * a + 3]!;
      for (let b = a; b < n; b++) {
        const cell = base + at[b]!;
        const from = GROUP * b;
        products[cell] =
          products[cell]! +
          v0 * found[from]! +
          v1 * found[from + 1]! +
          v2 * found[from + 2]! +
          v3 * found[from + 3]!;
      }
    }
  }
}

/** The sums of products as they are about the means. */
function centre({ columns, products, withTarget }: Sums, targetSum: number, rows: number) {
  const p = columns.length;
  for (let i = 0; i < p; i++) {
    withTarget[i]! -= (columns[i]! * targetSum) / rows;
    for (let j = i; j < p; j++) products[i * p + j]! -= (columns[i]! * columns[j]!) / rows;
  }
  return { products, withTarget };
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
