/** Errors of predictions against actual values, as sums that add. An error is predicted less actual. */
export interface ErrorSums {
  rows: number;
  error: number;
  absolute: number;
  squared: number;
}

export const noErrors = (): ErrorSums => ({ rows: 0, error: 0, absolute: 0, squared: 0 });

export function addErrors(to: ErrorSums, more: Readonly<ErrorSums>): void {
  to.rows += more.rows;
  to.error += more.error;
  to.absolute += more.absolute;
  to.squared += more.squared;
}

/** Errors of one version at one color, for people. */
export interface Accuracy {
  readonly color: string;
  /** Empty where it is not known. */
  readonly digest: string;
  /** True for what a shadow predicted, which no client has seen. */
  readonly shadow: boolean;
  readonly rows: number;
  /** Mean absolute error; undefined without rows, as the next two are. */
  readonly mae: number | undefined;
  /** Root of the mean squared error. */
  readonly rmse: number | undefined;
  /** Mean error: above 0 it predicts too much. */
  readonly bias: number | undefined;
}

export function accuracyOf(
  who: Pick<Accuracy, "color" | "digest" | "shadow">,
  { rows, error, absolute, squared }: Readonly<ErrorSums>,
): Accuracy {
  const mean = (sum: number) => (rows > 0 ? sum / rows : undefined);
  const rmse = rows > 0 ? Math.sqrt(squared / rows) : undefined;
  return { ...who, rows, mae: mean(absolute), rmse, bias: mean(error) };
}
