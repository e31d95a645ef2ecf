import type { Artifact, ArtifactBody } from "./artifact.ts";
import { ArtifactError } from "./artifact-error.ts";
import { parsePickupDatetime, wallSeconds } from "./datetime.ts";
import { clampInputs, type InputBounds, type Inputs, readTrip } from "./inputs.ts";
import { findRecipe } from "./recipes/index.ts";
import type { Recipe } from "./recipes/recipe.ts";
import { BASE_FARE, type Prediction, type Trip } from "./trip.ts";

/** Predicts from an artifact's numbers. */
export interface Predictor {
  /** As `predictFare`, for inputs that were read before; they are moved into the trained bounds, in place. */
  fareOf(inputs: Inputs): number;
  /** US dollars, not rounded, never below the base fare. @throws RangeError for numbers or times that cannot be. */
  predictFare(trip: Trip): number;
  /** The answer for a client: rounded to cents, and marked when the trip is outside the trained bounds. */
  predict(trip: Trip): Prediction;
}

export interface Model extends Predictor {
  readonly artifact: Artifact;
}

/**
 * Builds the predictor of an artifact.
 * @throws ArtifactError for an unknown recipe, features that the recipe does not produce, or lists of unequal length.
 */
export function createPredictor(body: ArtifactBody): Predictor {
  const linear = linearFunction(body);
  const bounds = inputBounds(body);
  const typical = secondsOf(body.typical_pickup_datetime, "typical_pickup_datetime");
  const answer = (inputs: Inputs) => {
    const extrapolated = clampInputs(inputs, bounds);
    const fare = Math.max(BASE_FARE, linear(inputs));
    return { fare: extrapolated ? Math.min(fare, body.fare_ceiling) : fare, extrapolated };
  };
  return {
    fareOf: (inputs) => answer(inputs).fare,
    predictFare: (trip) => answer(readTrip(trip, typical)).fare,
    predict(trip) {
      const { fare, extrapolated } = answer(readTrip(trip, typical));
      const fare_amount = Math.round(fare * 100) / 100;
      return extrapolated ? { fare_amount, extrapolated } : { fare_amount };
    },
  };
}

/** intercept + Σ coefficient · (feature − mean) / sd, with the scaling folded into the weights. */
export function linearFunction(body: ArtifactBody): (inputs: Inputs) => number {
  const { recipe, columns } = columnsOf(body);
  const weights = new Float64Array(recipe.features.length);
  let constant = body.intercept;
  columns.forEach((column, i) => {
    weights[column] = body.coefficients[i]! / body.scaling.sd[i]!;
    constant -= weights[column]! * body.scaling.mean[i]!;
  });
  const values = new Float64Array(recipe.features.length);
  return (inputs) => {
    recipe.compute(inputs, values, 0);
    let sum = constant;
    for (let i = 0; i < weights.length; i++) sum += weights[i]! * values[i]!;
    return sum;
  };
}

/** The recipe's column for each of the artifact's features. */
function columnsOf(body: ArtifactBody): { recipe: Recipe; columns: number[] } {
  const recipe = findRecipe(body.recipe);
  if (!recipe) throw new ArtifactError(`recipe "${body.recipe}" is unknown to this version of the package.`);
  const known = recipe.features.map((feature) => feature.name);
  const columns = body.features.map((name) => known.indexOf(name));
  const missing = columns.indexOf(-1);
  if (missing >= 0) {
    throw new ArtifactError(
      `feature "${body.features[missing]}" is not one that recipe "${recipe.name}" produces.`,
    );
  }
  if (new Set(columns).size < columns.length) throw new ArtifactError("features names one feature twice.");
  for (const [name, list] of Object.entries({ ...body.scaling, coefficients: body.coefficients })) {
    if (list.length !== columns.length) {
      throw new ArtifactError(`${name} has ${list.length} numbers for ${columns.length} features.`);
    }
  }
  return { recipe, columns };
}

function inputBounds(body: ArtifactBody): InputBounds {
  const { pickup_datetime: dates, ...ranges } = body.input_bounds;
  const min = secondsOf(dates.min, "input_bounds.pickup_datetime.min");
  const max = secondsOf(dates.max, "input_bounds.pickup_datetime.max");
  return { ...ranges, pickup_seconds: { min, max } };
}

function secondsOf(text: string, field: string): number {
  const time = parsePickupDatetime(text);
  if (!time) throw new ArtifactError(`${field} is "${text}", which is no date and time.`);
  return wallSeconds(time);
}
