import { type Metric, type OpenMetricsContentType, Registry } from "prom-client";

/**
 * The same metrics for scrapers that speak OpenMetrics, where a counter's name is without `_total` and its sample with
 * it. prom-client changes a counter's own name for that, and the Prometheus text with it: so here are twins.
 */
export function openMetrics(of: Registry): Registry<OpenMetricsContentType> {
  const twins = new Registry<OpenMetricsContentType>();
  twins.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const metric of of.getMetricsAsArray()) twins.registerMetric(twin(metric as unknown as Source));
  return twins;
}

interface Values {
  readonly name: string;
  readonly values: readonly { readonly metricName?: string }[];
}

/** What a registry asks of a metric; the second is there for histograms and summaries, which print other values. */
interface Source {
  readonly name: string;
  readonly type: string;
  get(): Promise<Values>;
  getForPromString?(): Promise<Values>;
}

function twin(metric: Source): Metric {
  const isCounter = metric.type.toString() === "counter";
  const strip = (name: string) => (isCounter ? name.replace(/_total$/, "") : name);
  const get = async () => {
    const found = await (metric.getForPromString?.() ?? metric.get());
    const values = found.values.map((value) =>
      value.metricName === undefined ? value : { ...value, metricName: strip(value.metricName) },
    );
    return { ...found, name: strip(found.name), values };
  };
  return { name: strip(metric.name), type: metric.type, get, reset: () => {} } as unknown as Metric;
}
