import type { Metric, Registry } from "prom-client";

export type Labels = Readonly<Record<string, string>>;
/** One series of a metric: its labels and value; `suffix` is for a histogram's `_bucket`, `_sum` and `_count`. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly suffix?: string;
}

export type MetricType = "counter" | "gauge" | "histogram";

/**
 * Registers a metric whose values are read when it is scraped. prom-client's own counters can only be added to, while
 * these values come as sums of reports; this is the part of its metrics that its registry asks for.
 */
export function addMetric(
  registry: Registry,
  type: MetricType,
  name: string,
  help: string,
  read: () => readonly Sample[],
): void {
  const values = () =>
    read().map(({ labels, value, suffix = "" }) => ({ labels, value, metricName: `${name}${suffix}` }));
  const about = { name, help, type, aggregator: "sum" };
  const metric = { ...about, get: async () => ({ ...about, values: values() }), reset: () => {} };
  registry.registerMetric(metric as unknown as Metric);
}

/** The samples of a histogram, cumulative as Prometheus wants them; `buckets` has one count more than `bounds`. */
export function histogramSamples(
  labels: Labels,
  bounds: readonly number[],
  buckets: readonly number[],
  sum: number,
): Sample[] {
  let count = 0;
  const samples = [...bounds.map(String), "+Inf"].map((le, i): Sample => {
    count += buckets[i] ?? 0;
    return { labels: { ...labels, le }, value: count, suffix: "_bucket" };
  });
  return [...samples, { labels, value: sum, suffix: "_sum" }, { labels, value: count, suffix: "_count" }];
}
