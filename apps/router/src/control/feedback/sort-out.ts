import type { Remembered } from "../../core/feedback/remembered.ts";
import { type FeedbackItem, ItemsError, misfit, valuesOf } from "./items.ts";

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
  mustFit(items, found);
  const counted = { accepted: 0, repeated: 0, unknown: 0 };
  const news = new Map<Remembered, Row[]>();
  for (const [i, request] of found.entries()) counted[take(request, items[i]!, news)]++;
  return { counted, news };
}

function mustFit(items: readonly FeedbackItem[], found: readonly (Remembered | undefined)[]): void {
  const problems = items.flatMap((item, i) => {
    const request = found[i];
    const problem = request && misfit(item, request.predictions.length);
    return problem === undefined ? [] : [`feedback[${i}]${problem}`];
  });
  if (problems.length > 0) throw new ItemsError(problems);
}

/** Adds what is new in an item to the news of its request, and says what became of the item. */
function take(
  request: Remembered | undefined,
  item: FeedbackItem,
  news: Map<Remembered, Row[]>,
): "accepted" | "repeated" | "unknown" {
  if (request === undefined) return "unknown";
  let known = news.get(request);
  let isNew = false;
  for (const [row, value] of valuesOf(item)) {
    if (value === null || known?.[row] != null || request.actuals?.[row] != null) continue;
    if (known === undefined) {
      known = request.predictions.map(() => null);
      news.set(request, known);
    }
    known[row] = value;
    isNew = true;
  }
  return isNew ? "accepted" : "repeated";
}
