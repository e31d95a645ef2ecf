import type { Registry } from "prom-client";
import type { Accuracy, ErrorSums } from "../core/feedback/sums.ts";
import { addMetric, type MetricType, type Sample } from "./series.ts";

/** What there is to count about delayed truth. */
export interface FeedbackSource {
  readonly counts: Readonly<Record<string, number>>;
  readonly totals: ReadonlyMap<string, Readonly<ErrorSums>>;
  readonly size: number;
  /** Of what a color runs now; undefined while nothing is known of it. */
  live(color: string): Accuracy | undefined;
  /** Lines that the disk did not take. */
  readonly unsaved: number;
}

const NOTHING: ErrorSums = { rows: 0, error: 0, absolute: 0, squared: 0 };

/** Delayed truth, as counters: a mean over any span is a rate of sums by a rate of rows. */
export function addFeedbackMetrics(
  registry: Registry,
  source: () => FeedbackSource,
  colors: () => readonly string[],
): void {
  const add = (type: MetricType, name: string, help: string, read: () => readonly Sample[]) =>
    addMetric(registry, type, `sluice_feedback_${name}`, help, read);
  const sums = (name: keyof ErrorSums) => () =>
    colors().map((color) => ({
      labels: { color },
      value: (source().totals.get(color) ?? NOTHING)[name],
    }));
  add("counter", "items_total", "Items of feedback, by what became of them.", () =>
    Object.entries(source().counts).map(([result, value]) => ({ labels: { result }, value })),
  );
  add("counter", "rows_total", "Actual values that were compared with a prediction.", sums("rows"));
  add("counter", "absolute_error_total", "Sum of absolute errors.", sums("absolute"));
  add("counter", "squared_error_total", "Sum of squared errors.", sums("squared"));
  const live = (name: "mae" | "rmse" | "bias") => () =>
    colors().flatMap((color) => {
      const value = source().live(color)?.[name];
      return value === undefined ? [] : [{ labels: { color }, value }];
    });
  add("gauge", "mae", "Mean absolute error of what the color runs, as far as is remembered.", live("mae"));
  add("gauge", "rmse", "Root of the mean squared error of the same.", live("rmse"));
  add("gauge", "bias", "Mean error of the same: above 0 it predicts too much.", live("bias"));
  add("gauge", "remembered_requests", "Requests whose predictions are remembered.", () => [
    { labels: {}, value: source().size },
  ]);
  add("counter", "unsaved_total", "Requests and actual values that the disk did not take.", () => [
    { labels: {}, value: source().unsaved },
  ]);
}
