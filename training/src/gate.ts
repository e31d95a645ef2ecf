import type { Model } from "@sluice/model";
import { totalDropped } from "./data/clean.ts";
import { readTrips, type TripFile } from "./data/read-trips.ts";
import { openModel } from "./evaluate.ts";
import { type Metrics, measure } from "./fit/metrics.ts";
import { chooseRows, type RowChoice } from "./gate-rows.ts";
import { InputProblem } from "./problem.ts";

export interface GateOptions {
  /** The model.json that wants to ship. */
  readonly candidate: string;
  /** The model.json in service; without it the candidate is the first release. */
  readonly stable?: string | undefined;
  /** Trips on which both are measured. */
  readonly csv: string;
  /** How much larger than the stable RMSE the candidate's may be, as a share: 0 to 1. @default 0.02 */
  readonly tolerance?: number;
}

/** One model's errors on the rows of the gate, US dollars; `null` where its predictions are no finite numbers. */
export interface Judged {
  readonly version: string;
  readonly digest: string;
  readonly rmse: number | null;
  readonly mae: number | null;
  readonly r2: number | null;
  /** Predictions that are NaN or infinite. */
  readonly not_finite: number;
}

/** What the gate prints. */
export interface Verdict {
  readonly ships: boolean;
  /** One sentence, with the numbers that decided. */
  readonly reason: string;
  readonly tolerance: number;
  /** The candidate's RMSE over the stable one's, less 1: 0.03 is 3 % worse. `null` without two finite RMSEs. */
  readonly rmse_change: number | null;
  /** 95 % interval of that change, over all trips like these. For people: the rule does not look at it. */
  readonly rmse_change_95: readonly [number, number] | null;
  readonly candidate: Judged;
  readonly stable: Judged | null;
  readonly rows: RowChoice["description"] & { readonly csv: string; readonly dropped: number };
}

/** By how much a model may be worse and still ship. */
export const TOLERANCE = 0.02;

/**
 * Decides whether a model ships: not if its RMSE is larger than the stable model's by more than `tolerance`, on the same
 * rows, cleaned as training cleans them.
 * @throws InputProblem for a missing, damaged or incomparable file, and where too few rows are left.
 */
export async function gate(options: GateOptions): Promise<Verdict> {
  const { csv, tolerance = TOLERANCE } = options;
  if (!(tolerance >= 0 && tolerance <= 1)) {
    throw new InputProblem(`the tolerance is ${tolerance}: expected a share from 0 to 1, such as 0.02.`);
  }
  const candidate = await openModel(options.candidate);
  const stable = options.stable === undefined ? undefined : await openModel(options.stable);
  if (stable && stable.artifact.name !== candidate.artifact.name) {
    const names = `"${candidate.artifact.name}" and "${stable.artifact.name}"`;
    throw new InputProblem(`the models are called ${names}: expected two versions of one model.`);
  }
  const file = await readTrips(csv);
  const { rows, description } = chooseRows(csv, file, candidate.artifact, stable?.artifact);
  const errors = {
    candidate: errorsOf(candidate, file, rows),
    stable: stable && errorsOf(stable, file, rows),
  };
  const judged = {
    candidate: judge(candidate, errors.candidate),
    stable: stable && errors.stable ? judge(stable, errors.stable) : null,
  };
  return {
    ...decide(judged.candidate, judged.stable, rows.length, tolerance),
    tolerance,
    ...change(judged.candidate, judged.stable, errors),
    ...judged,
    rows: { ...description, csv, dropped: totalDropped(file.dropped) },
  };
}

interface Errors {
  readonly fares: Float64Array;
  readonly predictions: Float64Array;
}

function errorsOf(model: Model, { trips }: TripFile, rows: Uint32Array): Errors {
  return {
    fares: Float64Array.from(rows, (row) => trips.fare(row)),
    predictions: Float64Array.from(rows, (row) => model.fareOf(trips.inputs(row))),
  };
}

function judge({ artifact: { version, digest } }: Model, { fares, predictions }: Errors): Judged {
  const metrics: Metrics = measure(fares, predictions);
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  const not_finite = predictions.filter((value) => !Number.isFinite(value)).length;
  return {
    version,
    digest,
    rmse: finite(metrics.rmse),
    mae: finite(metrics.mae),
    r2: finite(metrics.r2),
    not_finite,
  };
}

function decide(candidate: Judged, stable: Judged | null, rows: number, tolerance: number) {
  const name = `model ${candidate.version}`;
  if (candidate.rmse === null) {
    return refuse(`${name} does not ship: it has no finite RMSE on ${rows} rows (${bad(candidate, rows)}).`);
  }
  const rmse = candidate.rmse.toFixed(4);
  if (!stable) return ship(`${name} ships: it is the first release (RMSE ${rmse} on ${rows} rows).`);
  if (stable.rmse === null) {
    return ship(
      `${name} ships: RMSE ${rmse}, and ${stable.version} in service has none (${bad(stable, rows)}).`,
    );
  }
  const limit = stable.rmse * (1 + tolerance);
  const compared = `RMSE ${rmse} against ${stable.rmse.toFixed(4)} of ${stable.version} in service on the same ${rows} rows`;
  const rule = `${percent(candidate.rmse / stable.rmse - 1)}, allowed ${percent(tolerance)}`;
  return candidate.rmse <= limit
    ? ship(`${name} ships: ${compared} (${rule}).`)
    : refuse(`${name} does not ship: ${compared} (${rule}).`);
}

const ship = (reason: string) => ({ ships: true, reason });
const refuse = (reason: string) => ({ ships: false, reason });
const bad = ({ not_finite }: Judged, rows: number) => `${not_finite} of ${rows} predictions are not finite`;

/** Signed, because "0.50 %" alone does not say whether it is better or worse. */
function percent(share: number): string {
  const text = (share * 100).toFixed(2);
  return `${share >= 0 ? "+" : ""}${text} %`;
}

/**
 * The change and its 95 % interval by the delta method: both models err on the same rows, so the spread of the difference
 * of their squared errors, each as a share of its own mean, is what counts.
 */
function change(
  candidate: Judged,
  stable: Judged | null,
  errors: { candidate: Errors; stable?: Errors | undefined },
) {
  if (!stable?.rmse || candidate.rmse === null || !errors.stable) {
    return { rmse_change: null, rmse_change_95: null };
  }
  const squares = ({ fares, predictions }: Errors, rmse: number) =>
    fares.map((fare, i) => ((predictions[i]! - fare) / rmse) ** 2);
  const theirs = squares(errors.stable, stable.rmse);
  const ratio = candidate.rmse / stable.rmse;
  if (candidate.rmse === 0) return { rmse_change: -1, rmse_change_95: null };
  const differences = squares(errors.candidate, candidate.rmse).map((square, i) => square - theirs[i]!);
  const variance = differences.reduce((sum, difference) => sum + difference ** 2, 0) / differences.length;
  const margin = 1.96 * 0.5 * Math.sqrt(variance / differences.length);
  const interval = [ratio * Math.exp(-margin) - 1, ratio * Math.exp(margin) - 1] as const;
  return { rmse_change: ratio - 1, rmse_change_95: interval };
}
