import { collectDefaultMetrics, Registry } from "prom-client";
import { GATE_ENDINGS, type Gate } from "../core/gate.ts";
import { GRPC_NAMES } from "../core/grpc.ts";
import { OUTCOME_NAMES, outcomeRow } from "../core/outcome.ts";
import { type ColorReport, DURATION_BUCKETS, type ProcessFacts, type Report } from "../core/report.ts";
import { EMPTY_COLOR } from "../core/report-sums.ts";
import type { Snapshot } from "../core/snapshot.ts";
import type { TlsFacts } from "../tls/facts.ts";
import { addAnswerMetrics, type ShadowSource } from "./answers.ts";
import { addFeedbackMetrics, type FeedbackSource } from "./feedback.ts";
import { openMetrics } from "./openmetrics.ts";
import { addRollout, type RolloutReading } from "./rollout-metrics.ts";
import { addMetric, histogramSamples, type Labels, type MetricType, type Sample } from "./series.ts";
import { droppedSpans, exportedSpans } from "./spans.ts";
import { addTls } from "./tls.ts";

/** Where the numbers come from. */
export interface MetricsSource {
  /** Asks every worker for a fresh report, so that a scrape is exact. */
  refresh(): Promise<void>;
  /** Sums over all workers since the start, by color; `none` counts answers that no color gave. */
  totals(): Readonly<Record<string, ColorReport>>;
  /** The newest report of every data-plane process. */
  workers(): readonly Report[];
  snapshot(): Snapshot;
  /** Changes of weight since the start, by kind, with 0 for the kinds that did not occur. */
  weightChanges(): Readonly<Record<string, number>>;
  feedback(): FeedbackSource;
  /** Of the newest rollout; undefined before the first. */
  rollout(): RolloutReading;
  shadow(): ShadowSource;
  readonly version: string;
  /** Undefined where nothing is known of TLS. */
  readonly tls?: (() => TlsFacts) | undefined;
}

export interface MetricsText {
  readonly text: string;
  readonly contentType: string;
}

type Counts = Readonly<Record<string, number>>;
type ReadColor = (report: ColorReport, color: string) => readonly Sample[];

/** Answers that no color gave: nothing was healthy, or the request was refused before it had a color. */
const NONE = "none";
/** Series that exist before the first answer of their kind, so that `rate()` sees the first error too. */
const FIRST_REQUESTS = ["GET", "POST"].flatMap((method) =>
  [200, 502, 503, 504].map((code) => `${method} ${code}`),
);
const BLAMED = OUTCOME_NAMES.filter((outcome) => outcomeRow(outcome).blame === "target");
const RETRIED = OUTCOME_NAMES.filter((outcome) => outcomeRow(outcome).retry !== "never");

const FORGOTTEN = {
  name: "worker_feedback_dropped_total",
  help: "Requests that a worker could not remember for feedback, because too many waited.",
};

/** Gauges of prom-client whose names end in `_total`, which is for counters alone. */
const MISNAMED = [
  "nodejs_active_resources_total",
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
];

/** Everything of the design's list, and the process's own. */
export class RouterMetrics {
  readonly #registry = new Registry();
  readonly #source: MetricsSource;

  constructor(source: MetricsSource) {
    this.#source = source;
    this.#addRequests();
    this.#addAttempts();
    this.#addRouting();
    this.#addWorkers();
    if (source.tls)
      addTls(
        source.tls,
        () => source.workers(),
        (...about) => this.#add(...about),
      );
    const feedback = () => source.feedback();
    addFeedbackMetrics(this.#registry, feedback, () => this.#names());
    addRollout(this.#registry, () => source.rollout());
    addAnswerMetrics(
      this.#registry,
      () => this.#colors(),
      () => source.shadow(),
    );
    collectDefaultMetrics({ register: this.#registry });
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
  }

  /** The text of this moment, as Prometheus has always read it or as OpenMetrics, which has exemplars. */
  async render(format: "prometheus" | "openmetrics" = "prometheus"): Promise<MetricsText> {
    await this.#source.refresh();
    const registry = format === "openmetrics" ? openMetrics(this.#registry) : this.#registry;
    return { text: await registry.metrics(), contentType: registry.contentType };
  }

  #addRequests(): void {
    this.#addAll(
      "counter",
      "requests_total",
      "Answers to clients, by the color that answered.",
      (report, color) =>
        counts(report.requests, FIRST_REQUESTS).map(([key, value]) => {
          const [method = "", code = ""] = key.split(" ");
          return { labels: { color, method, code }, value };
        }),
    );
    this.#addAll(
      "counter",
      "grpc_requests_total",
      "Answers to gRPC calls, by the color that answered and the call's status.",
      (report, color) => byKey("code", color, report.grpc ?? {}, GRPC_NAMES),
    );
    const durations = "Seconds from a request's head to the end of its answer.";
    this.#addAll("histogram", "request_duration_seconds", durations, ({ duration }, color) =>
      histogramSamples({ color }, DURATION_BUCKETS, duration),
    );
    this.#addColors("counter", "assigned_total", "Requests that were assigned to a color.", one("assigned"));
    this.#addColors(
      "counter",
      "overridden_total",
      "Requests that an override sent to a color.",
      one("overridden"),
    );
    this.#addColors(
      "counter",
      "hedges_total",
      "Second attempts, sent because the first was slow.",
      one("hedges"),
    );
    this.#addColors("gauge", "requests_in_flight", "Requests that have not ended yet.", one("inFlight"));
    this.#addColors("gauge", "tunnels", "WebSockets and event streams that are open.", one("tunnels"));
  }

  #addAttempts(): void {
    this.#addColors(
      "counter",
      "attempts_total",
      "Attempts to have a target answer, by how they ended.",
      (report, color) => byKey("outcome", color, report.attempts, OUTCOME_NAMES),
    );
    this.#addColors(
      "counter",
      "upstream_errors_total",
      "Attempts whose ending blames the target.",
      (report, color) => byKey("reason", color, report.upstreamErrors, BLAMED),
    );
    this.#addColors(
      "counter",
      "retries_total",
      "Attempts that were repeated, by how the one before ended.",
      (report, color) => byKey("reason", color, report.retries, RETRIED),
    );
    this.#add("counter", "failovers_total", "Requests that another color took over.", () =>
      this.#colors().flatMap(([from, report]) => {
        const others = this.#names().filter((name) => name !== from);
        return counts(report.failovers, others).map(([to, value]) => ({ labels: { from, to }, value }));
      }),
    );
  }

  #addRouting(): void {
    this.#add("gauge", "target_up", "1 where a target takes traffic, else 0.", () =>
      this.#source.snapshot().colors.flatMap(({ name, targets }) =>
        targets.map(({ url, health }) => ({
          labels: { color: name, target: url },
          value: health === "up" ? 1 : 0,
        })),
      ),
    );
    this.#add("gauge", "traffic_weight_ratio", "A color's share of new requests, 0 to 1.", () =>
      this.#source.snapshot().colors.map(({ name, share }) => ({ labels: { color: name }, value: share })),
    );
    this.#addGate();
    this.#add("gauge", "snapshot_epoch", "Number of the routing table in force.", () => [
      { labels: {}, value: this.#source.snapshot().epoch },
    ]);
    this.#add("counter", "weight_changes_total", "Changes of weights by administrators.", () =>
      Object.entries(this.#source.weightChanges()).map(([kind, value]) => ({ labels: { kind }, value })),
    );
    this.#add("gauge", "build_info", "The router's version; always 1.", () => [
      { labels: { version: this.#source.version }, value: 1 },
    ]);
  }

  /** What holds new requests up. */
  #addGate(): void {
    const closed = (kind: Gate["kind"]) => () => [
      { labels: {}, value: this.#source.snapshot().gate?.kind === kind ? 1 : 0 },
    ];
    this.#add("gauge", "paused", "1 while new requests are held, else 0.", closed("pause"));
    this.#add("gauge", "maintenance", "1 while new requests are turned away, else 0.", closed("maintenance"));
    this.#add("gauge", "requests_held", "Requests that wait for the end of a pause.", () => [
      { labels: {}, value: this.#report(NONE)[1].held ?? 0 },
    ]);
    this.#add(
      "counter",
      "gated_requests_total",
      "Requests that came while it was closed, by what became of them.",
      () =>
        counts(this.#report(NONE)[1].gated ?? {}, GATE_ENDINGS).map(([result, value]) => ({
          labels: { result },
          value,
        })),
    );
  }

  /** Each data-plane process; the process metrics without a prefix are those of the one that is scraped. */
  #addWorkers(): void {
    const add = (
      type: MetricType,
      name: string,
      help: string,
      read: (report: Report) => number | undefined,
    ) =>
      this.#add(type, name, help, () =>
        this.#source.workers().flatMap((report) => {
          const value = read(report);
          return value === undefined ? [] : [{ labels: { worker: String(report.worker) }, value }];
        }),
      );
    const fact = (name: keyof ProcessFacts) => (report: Report) => report.process?.[name];
    add("gauge", "client_connections", "Client connections that are open.", (report) => report.connections);
    add(
      "gauge",
      "worker_snapshot_epoch",
      "Number of the table that a worker serves by.",
      ({ epoch }) => epoch,
    );
    add("counter", "worker_cpu_seconds_total", "A worker's processor time.", fact("cpuSeconds"));
    add(
      "counter",
      "worker_event_loop_seconds_total",
      "Time that a worker's event loop was busy.",
      fact("loopSeconds"),
    );
    add("counter", FORGOTTEN.name, FORGOTTEN.help, ({ servedDropped }) => servedDropped);
    add("gauge", "worker_resident_memory_bytes", "A worker's memory.", fact("residentBytes"));
    add("gauge", "worker_heap_used_bytes", "A worker's JavaScript heap in use.", fact("heapBytes"));
    this.#add("counter", "worker_spans_exported_total", "Spans that the collector took.", () =>
      exportedSpans(this.#source.workers()),
    );
    const dropped = "Spans that were given up: the queue was full, or the collector failed.";
    this.#add("counter", "worker_spans_dropped_total", dropped, () => droppedSpans(this.#source.workers()));
  }

  #add(type: MetricType, name: string, help: string, read: () => readonly Sample[]): void {
    addMetric(this.#registry, type, `sluice_${name}`, help, read);
  }

  #addColors(type: MetricType, name: string, help: string, read: ReadColor): void {
    this.#add(type, name, help, () => this.#colors().flatMap(([color, report]) => read(report, color)));
  }

  /** For what is also counted where no color answered. */
  #addAll(type: MetricType, name: string, help: string, read: ReadColor): void {
    this.#add(type, name, help, () =>
      [...this.#colors(), this.#report(NONE)].flatMap(([color, report]) => read(report, color)),
    );
  }

  #colors(): [string, ColorReport][] {
    return this.#names().map((name) => this.#report(name));
  }

  #report(name: string): [string, ColorReport] {
    return [name, this.#source.totals()[name] ?? EMPTY_COLOR];
  }

  #names(): string[] {
    return this.#source.snapshot().colors.map(({ name }) => name);
  }
}

/** What was counted, and 0 for what has not occurred. */
function counts(counted: Counts, known: readonly string[]): [string, number][] {
  const zeros = Object.fromEntries(known.map((key) => [key, 0]));
  return Object.entries({ ...zeros, ...counted });
}

function byKey(label: string, color: string, counted: Counts, known: readonly string[]): Sample[] {
  return counts(counted, known).map(([key, value]) => ({ labels: { color, [label]: key } as Labels, value }));
}

function one(field: "assigned" | "overridden" | "hedges" | "inFlight" | "tunnels"): ReadColor {
  return (report, color) => [{ labels: { color }, value: report[field] ?? 0 }];
}
