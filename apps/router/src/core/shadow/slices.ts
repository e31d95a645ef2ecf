import { MISSING, type Pointer, valuesAt } from "../predictions/pointer.ts";

/** A request's field by whose value pairs are told apart. */
export interface Slice {
  readonly field: Pointer;
  /** Rising upper bounds, included; what is larger is one bucket more. Empty: each value is a bucket of its own. */
  readonly buckets: readonly number[];
}

/** Buckets that one slice may have; further values count as `other`. */
export const MAX_BUCKETS = 32;
const LONGEST = 40;

/** In which bucket a request falls: `≤ 2`, `> 6`, a value itself, or `none` where the field is not there. */
export function bucketIn(request: unknown, { field, buckets }: Slice): string {
  const [value = MISSING] = valuesAt(request, field);
  if (value === MISSING || value === null || typeof value === "object") return "none";
  if (buckets.length === 0) return String(value).slice(0, LONGEST);
  if (typeof value !== "number" || !Number.isFinite(value)) return "none";
  const bound = buckets.find((each) => value <= each);
  return bound === undefined ? `> ${buckets.at(-1)}` : `≤ ${bound}`;
}
