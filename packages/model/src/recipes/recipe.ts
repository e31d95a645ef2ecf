import type { Inputs } from "../inputs.ts";

/** One column of the regression. */
export interface Feature {
  readonly name: string;
  /** What it measures, for a person who reads the report. */
  readonly meaning: string;
  /**
   * How large an effect is expected, in US dollars for one unit of the feature: the standard deviation of a normal prior
   * around 0. Effects of rare places shrink towards it (ridge regression); without it the data alone decide.
   */
  readonly prior?: number;
}

/** A pure function from a trip to a vector of features. */
export interface Recipe {
  readonly name: string;
  readonly features: readonly Feature[];
  /** Writes one number a feature into `out`, in the order of `features`, from `offset` on. */
  readonly compute: (inputs: Inputs, out: Float64Array, offset: number) => void;
}
