import type { Trip } from "@sluice/model";
import { MAX_ROWS, tripSchema } from "./schema.ts";

/** One thing wrong with a row. `field` is null when the row as a whole is no trip. */
export interface RowError {
  readonly index: number;
  readonly field: string | null;
  readonly reason: string;
}

/** Either trips to predict, or why none is: the sentence, and for bad rows the list. */
export type Checked =
  | { readonly trips: readonly Trip[] }
  | { readonly detail: string; readonly errors?: readonly RowError[]; readonly errors_omitted?: number };

/** How many errors a refusal lists; the rest is counted. */
const LISTED = 100;

/** Checks a parsed body, `{"data": [trip, …]}`. Pure; every protocol that carries rows goes through it. */
export function checkRequest(body: unknown): Checked {
  if (!isObject(body)) return { detail: 'The body is not an object: expected {"data": [trip, …]}.' };
  const data = Object.hasOwn(body, "data") ? body.data : undefined;
  if (!Array.isArray(data))
    return {
      detail: `"data" is ${data === undefined ? "missing" : "no array"}: expected an array of trips.`,
    };
  return checkRows(data);
}

/** Checks 1 to `MAX_ROWS` rows. */
export function checkRows(rows: readonly unknown[]): Checked {
  if (rows.length === 0) return { detail: '"data" is empty: expected at least one trip.' };
  if (rows.length > MAX_ROWS)
    return { detail: `"data" has ${rows.length} rows: expected at most ${MAX_ROWS}.` };
  const trips: Trip[] = [];
  const errors: RowError[] = [];
  let [count, bad] = [0, 0];
  for (const [index, row] of rows.entries()) {
    const { data, error } = tripSchema.safeParse(row);
    if (data) {
      trips.push(toTrip(data));
      continue;
    }
    bad++;
    count += error.issues.length;
    for (const issue of error.issues) if (errors.length < LISTED) errors.push(rowError(index, issue));
  }
  if (bad === 0) return { trips };
  return { detail: summary(bad, rows.length), errors, errors_omitted: count - errors.length };
}

function toTrip({
  pickup_datetime,
  ...trip
}: Omit<Trip, "pickup_datetime"> & { pickup_datetime?: string | null | undefined }): Trip {
  return pickup_datetime == null ? trip : { ...trip, pickup_datetime };
}

function rowError(index: number, issue: { path: readonly PropertyKey[]; message: string }): RowError {
  const field = issue.path[0];
  if (field === undefined)
    return { index, field: null, reason: "expected an object with the fields of a trip" };
  return { index, field: String(field), reason: issue.message };
}

function summary(bad: number, total: number): string {
  const rows = total === 1 ? "The only row is" : `${bad} of ${total} rows ${bad === 1 ? "is" : "are"}`;
  return `${rows} invalid; nothing was predicted.`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
