import { compareLatency, type LatencyReading } from "../../core/evidence/latency-band.ts";
import { compareDrift, type DriftReading, type Reference } from "../../core/evidence/prediction-drift.ts";
import { quantile } from "../../core/quantile.ts";
import { DURATION_BUCKETS } from "../../core/report.ts";
import type { StepHistogram } from "../../core/rollout/counting.ts";
import type { RolloutEntry } from "./entry.ts";
import type { OwnEvidence } from "./ledger.ts";

/** Confidence of what is shown for people: 95 %. */
const ALPHA_SHOWN = 0.05;

/** Second opinions at one weight: for people, who decide nothing by them alone. */
export interface StepReading {
  /** The candidate's share, in percent. */
  readonly share: number;
  readonly latency: LatencyView | null;
  readonly predictions: DriftReading | null;
}

export interface LatencyView extends LatencyReading {
  readonly candidate: Quantiles;
  readonly stable: Quantiles;
  /** Upper bound of the bucket at which the two differ most, in seconds; null above the highest. */
  readonly at: number | null;
}

interface Quantiles {
  readonly requests: number;
  /** Seconds; null without requests. */
  readonly p50: number | null;
  readonly p95: number | null;
}

/** One line for each weight that the candidate has had. */
export function stepReadings({ histograms }: OwnEvidence, entry: RolloutEntry): StepReading[] {
  const latency = histograms.latency ?? [];
  const predictions = histograms.predictions ?? [];
  const all = [...new Set([...latency, ...predictions].map(({ rho }) => rho))].sort((a, b) => a - b);
  return all.map((rho) => {
    const time = latency.find((one) => one.rho === rho);
    const values = predictions.find((one) => one.rho === rho);
    const { reference } = entry;
    return {
      share: rho * 100,
      latency: time === undefined ? null : latencyView(time.candidate, time.stable),
      predictions: values === undefined || reference === null ? null : driftView(values, reference),
    };
  });
}

/** Null where one of the two had no predictions, as at 100 %: the limit is infinite then, which JSON has not. */
function driftView({ stable, candidate }: StepHistogram, reference: Reference): DriftReading | null {
  const reading = compareDrift(reference, stable, candidate);
  return Number.isFinite(reading.psiLimit) ? reading : null;
}

function latencyView(candidate: readonly number[], stable: readonly number[]): LatencyView {
  const reading = compareLatency(stable, candidate, ALPHA_SHOWN);
  // JSON has no infinity: without requests the band is wider than any distance
  const band = Number.isFinite(reading.band) ? reading.band : 1;
  return {
    ...reading,
    band,
    at: DURATION_BUCKETS[reading.bucket] ?? null,
    candidate: quantiles(candidate),
    stable: quantiles(stable),
  };
}

function quantiles(buckets: readonly number[]): Quantiles {
  const at = (q: number) => quantile(q, DURATION_BUCKETS, buckets) ?? null;
  return { requests: buckets.reduce((sum, n) => sum + n, 0), p50: at(0.5), p95: at(0.95) };
}
