import type { Report, SpanCounts } from "../core/report.ts";
import type { Sample } from "./series.ts";

/** Nothing of a worker whose tracing is off. */
export const exportedSpans = (workers: readonly Report[]) =>
  samples(workers, ({ exported }) => [{ labels: {}, value: exported }]);

export const droppedSpans = (workers: readonly Report[]) =>
  samples(workers, ({ queueFull, failed }) => [
    { labels: { reason: "queue_full" }, value: queueFull },
    { labels: { reason: "export_failed" }, value: failed },
  ]);

function samples(workers: readonly Report[], read: (spans: SpanCounts) => readonly Sample[]): Sample[] {
  return workers.flatMap(({ worker, spans }) => {
    if (spans === undefined) return [];
    return read(spans).map((sample) => ({ ...sample, labels: { worker: String(worker), ...sample.labels } }));
  });
}
