/** When two predictions agree: |d| ≤ atol + rtol |main|, with the main answer's as the measure. */
export interface Tolerance {
  /** In the predictions' unit. */
  readonly atol: number;
  /** Share of the main prediction, 0 to 1. */
  readonly rtol: number;
}

/** How a copy's answer compares with the main one's. One record for each request, however many rows it has. */
export interface Comparison {
  readonly agrees: boolean;
  /** The difference, shadow minus main, of the row where it is largest; undefined where the copy gave no predictions. */
  readonly difference: number | undefined;
  /** That row's predictions. */
  readonly main: number;
  readonly shadow: number | undefined;
}

/** All rows must agree; another number of rows, or none, does not. @param main at least one, all finite */
export function compare(main: readonly number[], shadow: readonly number[], by: Tolerance): Comparison {
  if (shadow.length !== main.length)
    return { agrees: false, difference: undefined, main: main[0]!, shadow: undefined };
  let [agrees, worst] = [true, 0];
  for (let i = 0; i < main.length; i++) {
    const difference = Math.abs(shadow[i]! - main[i]!);
    if (difference > by.atol + by.rtol * Math.abs(main[i]!)) agrees = false;
    if (difference > Math.abs(shadow[worst]! - main[worst]!)) worst = i;
  }
  return {
    agrees,
    difference: shadow[worst]! - main[worst]!,
    main: main[worst]!,
    shadow: shadow[worst]!,
  };
}
