import type { Remembered, Trial } from "../../core/feedback/remembered.ts";
import { MAX_ROWS, type Served } from "../../core/feedback/served.ts";

/** Fewer than one of so many rows are a few. */
const FEW = 4;

type Row = number | null;
type Rows = readonly Row[];

/** One line of the journal, read. */
export type Entry =
  | { readonly kind: "served"; readonly served: Served; readonly trial: Trial | undefined }
  | { readonly kind: "copy"; readonly served: Served }
  | { readonly kind: "booked"; readonly id: string }
  | { readonly kind: "actual"; readonly id: string; readonly actuals: Rows };

/** A request that was answered. */
export function servedLine(request: Remembered): string {
  const { id, at, color, digest, predictions, user, trial } = request;
  return line([
    "s",
    id,
    at,
    color,
    digest,
    predictions,
    ...(trial || user !== undefined ? [trial ?? null] : []),
    ...(user === undefined ? [] : [user]),
  ]);
}

/** What a shadow answered to the same request. */
export function copyLine({ id, at, copy }: Remembered): string {
  return line(["c", id, at, copy!.color, copy!.digest, copy!.predictions]);
}

/** Actual values that have become known, by row: a few of many rows are named, or each of a thousand lines would have a thousand rows. */
export function actualLine(id: string, actuals: Rows): string {
  const known = [...actuals.entries()].filter(([, actual]) => actual !== null);
  return line(["a", id, known.length * FEW < actuals.length ? { rows: known } : actuals]);
}

/** The pair of a request and its copy has become evidence. */
export function bookedLine(id: string): string {
  return line(["b", id]);
}

const line = (values: readonly unknown[]) => `${JSON.stringify(values)}\n`;

/** A line as it was written; undefined for one that was cut off, or that another version wrote. */
export function readLine(text: string): Entry | undefined {
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(values) || typeof values[1] !== "string") return undefined;
  const [kind, id] = values;
  if (kind === "b") return { kind: "booked", id };
  if (kind === "a") {
    const actuals = rowsOf(values[2]);
    return actuals && { kind: "actual", id, actuals };
  }
  const [, , at, color, digest, predictions, trial, user] = values;
  if (!Number.isFinite(at) || typeof color !== "string" || typeof digest !== "string") return undefined;
  if (!isRows(predictions)) return undefined;
  const served = { id, at, color, digest, predictions };
  if (kind === "c") return { kind: "copy", served };
  if (kind !== "s") return undefined;
  const whole = Number.isSafeInteger(user) ? { ...served, user } : served;
  return { kind: "served", served: whole, trial: isTrial(trial) ? trial : undefined };
}

/** All rows, whether a line has all or names a few. */
function rowsOf(value: unknown): Rows | undefined {
  const { rows } = (value ?? {}) as { readonly rows?: unknown };
  if (!Array.isArray(rows)) return isRows(value) ? value : undefined;
  const actuals: Row[] = [];
  for (const named of rows) {
    const [row, actual] = Array.isArray(named) ? named : [];
    if (!(Number.isInteger(row) && row >= 0 && row < MAX_ROWS && Number.isFinite(actual))) return undefined;
    while (actuals.length <= row) actuals.push(null);
    actuals[row] = actual;
  }
  return actuals;
}

function isRows(value: unknown): value is Rows {
  const fits = (row: unknown) => row === null || Number.isFinite(row);
  return Array.isArray(value) && value.length <= MAX_ROWS && value.every(fits);
}

function isTrial(value: unknown): value is Trial {
  if (typeof value !== "object" || value === null) return false;
  const { rho, candidate, stable, isCandidate } = value as Partial<Trial>;
  const named = typeof candidate === "string" && typeof stable === "string";
  return named && typeof isCandidate === "boolean" && typeof rho === "number" && rho > 0 && rho < 1;
}
