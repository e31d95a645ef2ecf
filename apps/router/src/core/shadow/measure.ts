import type { PredictionRule } from "../predictions/read.ts";
import type { Tolerance } from "./compare.ts";

/** What is read, and when it agrees: pairs by another measure say nothing about this one. */
export function measureOf(
  predictions: (PredictionRule & { readonly paths: readonly string[] }) | undefined,
  { atol, rtol }: Tolerance,
): string {
  const { pointer, range = null, paths = [] } = predictions ?? {};
  return JSON.stringify([pointer?.text ?? null, range, atol, rtol, ...paths]);
}
