import type { Metric, Registry } from "prom-client";
import type { DurationSums, Exemplar } from "../core/report.ts";

export type Labels = Readonly<Record<string, string>>;
/** One series of a metric: its labels and value; `suffix` is for a histogram's `_bucket`, `_sum` and `_count`. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly suffix?: string;
  /** Printed where a scraper speaks OpenMetrics. */
  readonly exemplar?: SampleExemplar;
}

export interface SampleExemplar {
  readonly labelSet: Labels;
  readonly value: number;
  /** Seconds since the epoch. */
  readonly timestamp: number;
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
    read().map(({ suffix = "", ...sample }) => ({ ...sample, metricName: `${name}${suffix}` }));
  const about = { name, help, type, aggregator: "sum" };
  const metric = { ...about, get: async () => ({ ...about, values: values() }), reset: () => {} };
  registry.registerMetric(metric as unknown as Metric);
}

/** The samples of a histogram, cumulative as Prometheus wants them; the sums have one bucket more than `bounds`. */
export function histogramSamples(
  labels: Labels,
  bounds: readonly number[],
  { buckets, sum, exemplars }: DurationSums,
): Sample[] {
  let count = 0;
  const samples = [...bounds.map(String), "+Inf"].map((le, i): Sample => {
    count += buckets[i] ?? 0;
    const sample = { labels: { ...labels, le }, value: count, suffix: "_bucket" };
    const exemplar = exemplars?.[i];
    return exemplar ? { ...sample, exemplar: toSampleExemplar(exemplar) } : sample;
  });
  return [...samples, { labels, value: sum, suffix: "_sum" }, { labels, value: count, suffix: "_count" }];
}

function toSampleExemplar({ traceId, value, at }: Exemplar): SampleExemplar {
  return { labelSet: { trace_id: traceId }, value, timestamp: at / 1000 };
}
