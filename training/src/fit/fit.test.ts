import { type Feature, type Inputs, makeInputs, type Recipe, recipes } from "@sluice/model";
import MultivariateLinearRegression from "ml-regression-multivariate-linear";
import { describe, expect, test } from "vitest";
import { mulberry32 } from "../data/split.ts";
import { Trips } from "../data/trips.ts";
import { InputProblem } from "../problem.ts";
import { cholesky } from "./cholesky.ts";
import { type Fit, fitLinear } from "./fit.ts";
import { addUp } from "./moments.ts";

type Column = Feature & { of: (inputs: Inputs) => number };
const column = (name: string, of: Column["of"], prior?: number): Column => {
  return { name, meaning: "for a test", of, ...(prior ? { prior } : {}) };
};
const recipeOf = (columns: Column[]): Recipe => ({
  name: "test",
  features: columns,
  compute(inputs, out, offset) {
    for (const [i, { of }] of columns.entries()) out[offset + i] = of(inputs);
  },
});

const random = mulberry32(5);
const trips = new Trips();
for (let i = 0; i < 500; i++) {
  const [a, b, c, d] = [random(), random(), random(), random()];
  const row = {
    pickupLatitude: 40.6 + a / 5,
    pickupLongitude: -74 + b / 5,
    dropoffLatitude: 40.6 + c / 5,
    dropoffLongitude: -74 + d / 5,
  };
  trips.add(
    { ...row, fare: 3 + 10 * a - 4 * b + 2 * c + random(), passengers: 1 + (i % 6) },
    1_300_000_000 + i * 86_400,
  );
}
const all = Uint32Array.from({ length: trips.length }, (_, i) => i);
const north = column("north", (inputs) => inputs.pickupLatitude);
const east = column("east", (inputs) => inputs.pickupLongitude);
const seconds = column("milliseconds", (inputs) => inputs.seconds * 1000);

function fitOf(...columns: Column[]): Fit {
  return fitLinear(columns, addUp(recipeOf(columns), trips, all));
}

function predict(fit: Fit, row: number): number {
  return fit.features.reduce((sum, feature, i) => {
    const value = (feature as Column).of(trips.inputs(row));
    return sum + (fit.coefficients[i]! * (value - fit.mean[i]!)) / fit.sd[i]!;
  }, fit.intercept);
}

describe("fitLinear", () => {
  test("agrees with the package on the rows themselves", () => {
    const columns = [
      north,
      east,
      column("to", (inputs) => inputs.dropoffLatitude),
      column("people", (i) => i.passengers),
    ];
    const scaled = all.map((_, row) => row);
    const x = Array.from(scaled, (row) => columns.map(({ of }) => of(trips.inputs(row)) - 40));
    const direct = new MultivariateLinearRegression(
      x,
      Array.from(all, (row) => [trips.fare(row)]),
    );
    const fit = fitOf(...columns);
    for (const row of [0, 7, 499]) expect(predict(fit, row)).toBeCloseTo(direct.predict(x[row]!)[0]!, 6);
  });

  test("is not broken by a column of epoch milliseconds, as the package alone is", () => {
    const fit = fitOf(north, east, seconds);
    const without = fitOf(north, east);
    expect(Math.abs(predict(fit, 3) - predict(without, 3))).toBeLessThan(0.2);
    expect(fit.coefficients[0]).toBeCloseTo(without.coefficients[0]!, 1);
  });

  test("keeps the digits of a column that varies little about a large value", () => {
    const far = column("far", (inputs) => 1e6 + inputs.pickupLatitude);
    expect(fitOf(far, east).coefficients[0]).toBeCloseTo(fitOf(north, east).coefficients[0]!, 4);
  });

  test("names a constant column and leaves it out", () => {
    const fit = fitOf(
      north,
      column("always", () => 7),
      east,
    );
    expect(fit.features.map(({ name }) => name)).toEqual(["north", "east"]);
    expect(fit.leftOut).toEqual(['column "always" is 7 in every row: it is left out.']);
    expect(fit.coefficients).toEqual(fitOf(north, east).coefficients);
  });

  test("names a column that is a sum of others and leaves it out", () => {
    const fit = fitOf(
      north,
      east,
      column("both", (inputs) => 3 * inputs.pickupLatitude - inputs.pickupLongitude + 1),
    );
    expect(fit.features.map(({ name }) => name)).toEqual(["north", "east"]);
    expect(fit.leftOut).toEqual(['column "both" is a sum of others: it is left out.']);
    expect(fit.coefficients[0]).toBeCloseTo(fitOf(north, east).coefficients[0]!, 9);
  });

  test("goes on with the columns after one that it left out", () => {
    const twin = column("twin", (inputs) => inputs.pickupLatitude * 2);
    const fit = fitOf(
      north,
      twin,
      east,
      column("to", (inputs) => inputs.dropoffLatitude),
    );
    const without = fitOf(
      north,
      east,
      column("to", (inputs) => inputs.dropoffLatitude),
    );
    expect(fit.features).toHaveLength(3);
    for (const [i, value] of fit.coefficients.entries())
      expect(value).toBeCloseTo(without.coefficients[i]!, 9);
  });

  test("names a column with a NaN, and the row, instead of making every weight NaN", () => {
    const broken = column("ratio", (inputs) => (inputs.seconds === trips.seconds(200) ? Number.NaN : 1));
    expect(() => fitOf(north, broken)).toThrow(
      new InputProblem('column "ratio" is NaN in clean row 201: no fit is possible.'),
    );
    const endless = column("ratio", (inputs) => (inputs.seconds === trips.seconds(3) ? 1 / 0 : 1));
    expect(() => fitOf(north, endless)).toThrow('column "ratio" is Infinity in clean row 4');
  });

  test("refuses when every column is constant", () => {
    expect(() => fitOf(column("one", () => 1))).toThrow("every column is constant");
  });

  test("refuses fewer rows than columns need", () => {
    const few = all.subarray(0, 2);
    expect(() => fitLinear([north, east], addUp(recipeOf([north, east]), trips, few))).toThrow(
      new InputProblem("2 rows are too few to fit 2 features: at least 3 are needed."),
    );
  });

  test("pulls a column with a narrow prior towards 0, and leaves one with a wide prior alone", () => {
    const free = fitOf(north, east).coefficients[1]!;
    const held = fitOf(north, { ...east, prior: 0.5 }).coefficients[1]!;
    const wide = fitOf(north, { ...east, prior: 1e6 }).coefficients[1]!;
    expect(Math.abs(held)).toBeLessThan(Math.abs(free) / 2);
    expect(wide).toBeCloseTo(free, 6);
  });

  test("fits recipe baseline and full without a broken number", () => {
    for (const recipe of Object.values(recipes)) {
      const fit = fitLinear(recipe.features, addUp(recipe, trips, all));
      expect([...fit.coefficients, ...fit.mean, ...fit.sd, fit.intercept].every(Number.isFinite)).toBe(true);
    }
  });
});

test("Trips hands its numbers on", () => {
  const joined = Trips.join([Trips.of(trips.values()), Trips.of(trips.values())]);
  expect(joined.length).toBe(1000);
  expect(joined.inputs(501)).toEqual(
    makeInputs(
      ...(Object.values(trips.inputs(1)).slice(0, 6) as [number, number, number, number, number, number]),
    ),
  );
});

test("cholesky leaves out a column whose own variance is below what rounding leaves", () => {
  const nearly = 1 - 1e-12;
  expect(cholesky(Float64Array.of(1, nearly, 0, 1), 2).collinear).toEqual([1]);
  expect(cholesky(Float64Array.of(1, 0.999, 0, 1), 2).collinear).toEqual([]);
});
