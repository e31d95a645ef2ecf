import type { Inputs } from "../inputs.ts";

/** One column of the regression. */
export interface Feature {
  readonly name: string;
  /** One sentence fragment for a person who reads the report. */
  readonly meaning: string;
}

/** A pure function from a trip to a vector of features. */
export interface Recipe {
  readonly name: string;
  readonly features: readonly Feature[];
  /** Writes one number a feature into `out`, in the order of `features`, from `offset` on. */
  readonly compute: (inputs: Inputs, out: Float64Array, offset: number) => void;
}
