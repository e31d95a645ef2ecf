import type { Prediction, Trip } from "@sluice/model";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { countTenths } from "./drift.ts";
import type { Service } from "./service.ts";

/** What the server counts. One instance an app, so that tests do not share any. */
export interface Metrics {
  readonly registry: Registry;
  readonly inFlight: Gauge;
  readonly requests: Counter<"method" | "route" | "code">;
  readonly duration: Histogram<"route">;
  readonly grpcRequests: Counter<"method" | "code">;
  readonly predictions: Counter;
  readonly extrapolated: Counter;
  readonly batchRows: Histogram;
  readonly fares: Histogram;
  /** Counts a row for the comparison with the training data. */
  readonly countTenths: (trip: Trip, prediction: Prediction) => void;
  readonly rejected: Counter<"reason">;
}

/** Why a prediction request was refused; every one is a series from the start. */
export const REJECTIONS = ["media_type", "body_too_large", "no_model", "malformed_json", "invalid"] as const;
export type Rejection = (typeof REJECTIONS)[number];

/** Seconds: a small batch takes well under a millisecond, the largest some 100. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
/** US dollars, from the least that a trip can cost. */
const DOLLARS = [2.5, 4, 5, 6, 7, 8, 9, 10, 12.5, 15, 17.5, 20, 25, 30, 40, 50, 60, 80, 100, 150];
const ROWS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

/** prom-client's gauges that end in `_total`, which is a counter's suffix; promtool objects. */
const MISNAMED = [
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
  "nodejs_active_resources_total",
];

export function createMetrics(service: Service): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const named = (name: string, help: string) => ({ name: `model_api_${name}`, help, registers });
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  describeModel(service, registry);
  const rejected = new Counter({
    ...named("rejected_requests_total", "Prediction requests that were refused, by reason."),
    labelNames: ["reason"],
  });
  for (const reason of REJECTIONS) rejected.inc({ reason }, 0);
  return {
    registry,
    rejected,
    inFlight: new Gauge(named("requests_in_flight", "Requests that are being answered.")),
    requests: new Counter({
      ...named("requests_total", "Requests answered."),
      labelNames: ["method", "route", "code"],
    }),
    duration: new Histogram({
      ...named("request_duration_seconds", "Time from a request's head to its answer."),
      labelNames: ["route"],
      buckets: SECONDS,
    }),
    grpcRequests: new Counter({
      ...named("grpc_requests_total", "gRPC calls answered."),
      labelNames: ["method", "code"],
    }),
    predictions: new Counter(named("predictions_total", "Fares predicted, one for each row.")),
    extrapolated: new Counter(
      named("extrapolated_predictions_total", "Fares of trips outside what the model was trained on."),
    ),
    batchRows: new Histogram({ ...named("batch_rows", "Rows of a prediction request."), buckets: ROWS }),
    fares: new Histogram({
      ...named("predicted_fare_dollars", "Fares predicted, in US dollars."),
      buckets: DOLLARS,
    }),
    countTenths: countTenths(service, registry),
  };
}

/** Facts about the model: constant but for readiness, which is read when the metrics are. */
function describeModel(service: Service, registry: Registry): void {
  const registers = [registry];
  const { name = "none", version = "none", digest = "none" } = service.identity ?? {};
  new Gauge({
    name: "model_api_model_info",
    help: "1, with the model that is served as labels.",
    labelNames: ["name", "version", "digest", "color"],
    registers,
  }).set({ name, version, digest, color: service.color }, 1);
  new Gauge({
    name: "model_api_ready",
    help: "1 when the server may get traffic.",
    registers,
    collect() {
      this.set(service.notReady() ? 0 : 1);
    },
  });
}
