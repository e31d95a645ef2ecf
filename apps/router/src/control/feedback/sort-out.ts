import type { Remembered } from "../../core/feedback/remembered.ts";
import { actualsOf, type FeedbackItem, ItemsError } from "./items.ts";

type Row = number | null;

/** What the items of a call come to. */
export interface Sorted {
  readonly counted: {
    /** Items with at least one actual value that was not known. */
    readonly accepted: number;
    /** Items of which everything was known. */
    readonly repeated: number;
    /** Items whose request is not remembered: never seen, not sampled, or too old. */
    readonly unknown: number;
  };
  /** Actual values that were not known, by row of their request. */
  readonly news: ReadonlyMap<Remembered, readonly Row[]>;
}

/**
 * Tells what is new in items, each with its request if that is remembered. Nothing is taken yet. Of a row the first value counts.
 * @throws ItemsError some items do not fit their requests
 */
export function sortOut(items: readonly FeedbackItem[], found: readonly (Remembered | undefined)[]): Sorted {
  const values = valuesOf(items, found);
  const counted = { accepted: 0, repeated: 0, unknown: 0 };
  const news = new Map<Remembered, Row[]>();
  for (const [i, request] of found.entries()) counted[take(request, values[i], news)]++;
  return { counted, news };
}

function valuesOf(items: readonly FeedbackItem[], found: readonly (Remembered | undefined)[]) {
  const problems: string[] = [];
  const values = items.map((item, i) => {
    const request = found[i];
    const fit = request && actualsOf(item, request.predictions.length);
    if (typeof fit === "string") problems.push(`feedback[${i}]${fit}`);
    return typeof fit === "string" ? undefined : fit;
  });
  if (problems.length === 0) return values;
  throw new ItemsError(problems);
}

/** Adds what is new in an item to the news of its request, and says what became of the item. */
function take(
  request: Remembered | undefined,
  values: readonly Row[] | undefined,
  news: Map<Remembered, Row[]>,
): "accepted" | "repeated" | "unknown" {
  if (request === undefined || values === undefined) return "unknown";
  const known = news.get(request) ?? request.predictions.map(() => null);
  const fresh = values.map(
    (value, row) => value !== null && known[row] === null && request.actuals?.[row] == null,
  );
  if (!fresh.includes(true)) return "repeated";
  news.set(
    request,
    known.map((value, row) => (fresh[row] ? values[row]! : value)),
  );
  return "accepted";
}
