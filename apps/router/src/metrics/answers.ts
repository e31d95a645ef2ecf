import type { Registry } from "prom-client";
import { FAULTS } from "../core/predictions/read.ts";
import { bucketsOf } from "../core/predictions/sketch.ts";
import { NO_ANSWERS, SKIPS } from "../core/predictions/sums.ts";
import type { ColorReport } from "../core/report.ts";
import type { Certificate } from "../core/shadow/certificate.ts";
import { type PairReport, summarize } from "../core/shadow/pairs.ts";
import { COPY_OUTCOMES } from "../core/shadow/view.ts";
import { addMetric, histogramSamples, type MetricType, type Sample } from "./series.ts";

/** What there is to count about answers and shadows. */
export interface ShadowSource {
  /** The shadow that runs. */
  readonly running: { readonly color: string; readonly percent: number } | undefined;
  /** What is known of the pair of versions that is compared, or was compared last. */
  found(): PairReport | undefined;
  certified(): Certificate | undefined;
}

/** Bounds of predictions, whatever their unit: six a decade, which is as fine as the sketch behind them. */
const BOUNDS: readonly number[] = [
  0,
  ...[-1, 0, 1, 2, 3].flatMap((decade) =>
    [1, 1.5, 2, 3, 5, 7].map((step) => Number((step * 10 ** decade).toPrecision(2))),
  ),
];

/** Metrics of what is in answers, and of copies of requests. */
export function addAnswerMetrics(
  registry: Registry,
  colors: () => readonly (readonly [string, ColorReport])[],
  shadow: () => ShadowSource,
): void {
  const add = (type: MetricType, name: string, help: string, read: () => readonly Sample[]) =>
    addMetric(registry, type, `sluice_${name}`, help, read);
  const each = (read: (report: ColorReport, color: string) => readonly Sample[]) => () =>
    colors().flatMap(([color, report]) => read(report, color));
  add(
    "counter",
    "answers_read_total",
    "Answers with status 200 whose predictions were read.",
    each(({ answers = NO_ANSWERS }, color) => [{ labels: { color }, value: answers.read }]),
  );
  add(
    "counter",
    "bad_answers_total",
    "Answers with status 200 and no good predictions, by what is wrong first.",
    each(({ answers = NO_ANSWERS }, color) => named("reason", color, FAULTS, answers.faults)),
  );
  add(
    "counter",
    "answers_skipped_total",
    "Answers with status 200 that were not read.",
    each(({ answers = NO_ANSWERS }, color) => named("reason", color, SKIPS, answers.skipped)),
  );
  add(
    "histogram",
    "prediction_value",
    "Predictions, one for each answer: the mean of its rows, to within 2 %.",
    each(({ answers = NO_ANSWERS }, color) => predictionSamples(color, answers)),
  );
  add(
    "counter",
    "shadow_requests_total",
    "Copies of requests to a shadow, by how they ended.",
    each(({ copies = {} }, color) => named("outcome", color, COPY_OUTCOMES, copies)),
  );
  addPairs(add, shadow);
}

type Add = (type: MetricType, name: string, help: string, read: () => readonly Sample[]) => void;

function addPairs(add: Add, shadow: () => ShadowSource): void {
  add("gauge", "shadow_percent", "Percent of requests that are copied to the shadow that runs.", () => {
    const { running } = shadow();
    return running ? [{ labels: { color: running.color }, value: running.percent }] : [];
  });
  const one = (value: number | null | undefined): Sample[] =>
    value === null || value === undefined ? [] : [{ labels: {}, value }];
  const summary = () => {
    const found = shadow().found();
    return found && summarize(found.all);
  };
  add("gauge", "shadow_pairs", "Pairs of answers that were compared, of these two versions.", () =>
    one(summary()?.pairs),
  );
  add("gauge", "shadow_agreement_ratio", "Share of the pairs that agree within tolerance.", () =>
    one(summary()?.agreement),
  );
  add("gauge", "shadow_difference", "Shadow's prediction minus the main one's.", () => {
    const { mean, p95, largest } = summary() ?? {};
    return Object.entries({ mean, p95, largest }).flatMap(([stat, value]) =>
      one(value).map((sample) => ({ ...sample, labels: { stat } })),
    );
  });
  add(
    "gauge",
    "shadow_certified",
    "1 where it is shown that fewer than 1 % of pairs disagree, at 95 %.",
    () => {
      const certificate = shadow().certified();
      return certificate ? one(certificate.passed ? 1 : 0) : [];
    },
  );
}

function predictionSamples(color: string, { predictions }: typeof NO_ANSWERS): Sample[] {
  const counts = [...BOUNDS, 0].map(() => 0);
  for (const { value, count } of bucketsOf(predictions)) {
    const at = BOUNDS.findIndex((bound) => value <= bound);
    counts[at < 0 ? BOUNDS.length : at]! += count;
  }
  return histogramSamples({ color }, BOUNDS, { buckets: counts, sum: predictions.sum });
}

function named(
  label: string,
  color: string,
  known: readonly string[],
  counts: Readonly<Record<string, number>>,
): Sample[] {
  return known.map((name) => ({ labels: { color, [label]: name }, value: counts[name] ?? 0 }));
}
