import { centerOf } from "../predictions/read.ts";
import {
  type Predicted,
  pairOf,
  type Remembered,
  type Row,
  type Segment,
  type Trial,
  usable,
} from "./remembered.ts";
import type { Served } from "./served.ts";
import { type Accuracy, accuracyOf, addErrors, type ErrorSums, noErrors } from "./sums.ts";

export interface MemoryLimits {
  /** Milliseconds that a request is remembered. */
  readonly remember: number;
  /** Predictions that are remembered. */
  readonly max: number;
}

/** Parts in which the memory forgets. */
const PARTS = 8;
/** After so many restarts the oldest part goes, whatever is in it. */
const MAX_SEGMENTS = 64;

/**
 * Which requests were answered with what, bounded in number and time. It forgets in parts, the oldest first, and each part has its own
 * sums of errors: what is forgotten leaves no trace in them. Of a request's actual values the first ones count.
 */
export class FeedbackMemory {
  /** A part was forgotten. */
  onForget: (segment: number) => void = () => {};
  /** By color: what clients were answered, since the start, forgotten or not. */
  readonly totals = new Map<string, ErrorSums>();
  #limits: MemoryLimits;
  readonly #known = new Map<string, Remembered>();
  #segments: Segment[] = [];
  #weight = 0;
  #next = 1;
  /** The newest part takes more. */
  #open = false;
  /** It takes any number, because a file has it so. */
  #whole = false;

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
  }

  configure(limits: MemoryLimits, now: number): void {
    this.#limits = limits;
    this.forget(now);
  }

  get size(): number {
    return this.#known.size;
  }

  /** Requests, their copies and parts, for tests and metrics. */
  get parts(): readonly Pick<Segment, "number" | "weight">[] {
    return this.#segments;
  }

  /**
   * Begins a new part with the next request.
   * @param number what the part is to be called, above all before it; then nothing but this begins another
   */
  begin(number?: number): void {
    this.#next = number ?? this.#next;
    this.#whole = number !== undefined;
    this.#open = false;
  }

  /** A request that was answered. Undefined when its id is known already, or there is nothing to compare. */
  note(served: Served, now: number, trial?: Trial): Remembered | undefined {
    if (this.#known.has(served.id) || !served.predictions.some((row) => row !== null)) return undefined;
    const at = Math.min(served.at, now);
    if (at + this.#limits.remember <= now) return undefined;
    const segment = this.#current(now);
    const { id, color, digest, user } = served;
    const predictions = served.predictions.map(usable);
    const rest = { actuals: undefined, error: undefined, copy: undefined, pair: undefined, booked: false };
    const request: Remembered = { id, at, color, digest, trial, user, predictions, segment, ...rest };
    this.#known.set(id, request);
    segment.requests.push(request);
    segment.newest = Math.max(segment.newest, at);
    this.#add(segment, predictions.length);
    this.forget(now);
    return this.#known.has(id) ? request : undefined; // it may be too large for any part
  }

  /**
   * What a shadow answered to a request that is remembered. Undefined when it is not, had a copy already, or the copy is that of
   * another request with the same id.
   */
  noteCopy({ id, color, digest, predictions, beside }: Served, now: number): Remembered | undefined {
    const request = this.find(id, now);
    if (request === undefined || request.copy !== undefined) return undefined;
    if (beside !== undefined && beside !== centerOf(request.predictions.map(Number))) return undefined;
    if (!predictions.some((row) => row !== null)) return undefined;
    request.copy = { color, digest, predictions: predictions.map(usable) };
    this.#add(request.segment, predictions.length);
    this.forget(now);
    return this.#known.has(id) ? request : undefined;
  }

  /** The request of an id, unless it is unknown or too old. */
  find(id: string, now: number): Remembered | undefined {
    const request = this.#known.get(id);
    return request && request.at + this.#limits.remember > now ? request : undefined;
  }

  /**
   * Actual values by row, null where none is given; those that are known already stay as they are.
   * @returns the request's own error, the first time that it is known
   */
  learn(request: Remembered, actuals: readonly Row[]): number | undefined {
    const fresh = request.predictions.map((_, row) =>
      request.actuals?.[row] == null ? (actuals[row] ?? null) : null,
    );
    request.actuals = fresh.map((actual, row) => actual ?? request.actuals?.[row] ?? null);
    const error = this.#count(request, request, fresh, false);
    if (request.copy) this.#count(request, request.copy, fresh, true);
    request.pair ??= pairOf(request);
    if (request.error !== undefined) return undefined;
    request.error = error;
    return error;
  }

  /** The same after a copy was answered: actual values may have come before it. */
  compare(request: Remembered): void {
    if (request.copy && request.actuals) this.#count(request, request.copy, request.actuals, true);
    request.pair ??= pairOf(request);
  }

  /** Adds the errors of some rows to the sums of their part. Returns the mean absolute one. */
  #count(
    { segment }: Remembered,
    { color, digest, predictions }: Predicted,
    actuals: readonly Row[],
    shadow: boolean,
  ) {
    const more = noErrors();
    for (const [row, actual] of actuals.entries()) {
      const predicted = predictions[row];
      if (actual === null || predicted == null) continue;
      const error = predicted - actual;
      addErrors(more, { rows: 1, error, absolute: Math.abs(error), squared: error * error });
    }
    if (more.rows === 0) return undefined;
    const key = JSON.stringify([color, digest, shadow]);
    const sums = segment.sums.get(key) ?? noErrors();
    segment.sums.set(key, sums);
    addErrors(sums, more);
    if (!shadow) {
      const total = this.totals.get(color) ?? noErrors();
      this.totals.set(color, total);
      addErrors(total, more);
    }
    return more.absolute / more.rows;
  }

  /** Of all versions that answered something that is remembered. */
  accuracy(): Accuracy[] {
    const all = new Map<string, ErrorSums>();
    for (const { sums } of this.#segments) {
      for (const [key, more] of sums) {
        const sum = all.get(key) ?? noErrors();
        all.set(key, sum);
        addErrors(sum, more);
      }
    }
    return [...all].map(([key, sums]) => {
      const [color, digest, shadow] = JSON.parse(key) as [string, string, boolean];
      return accuracyOf({ color, digest, shadow }, sums);
    });
  }

  /** Absolute errors that a version made in front of clients, request by request, unsorted. */
  errorsOf(digest: string): number[] {
    const found: number[] = [];
    for (const { digest: own, error } of this.#known.values()) {
      if (own === digest && error !== undefined) found.push(error);
    }
    return found;
  }

  /** Everything that is remembered, the oldest first. */
  requests(): IterableIterator<Remembered> {
    return this.#known.values();
  }

  /** Lets go of parts that are too old, or too many. */
  forget(now: number): void {
    const { remember, max } = this.#limits;
    for (;;) {
      const oldest = this.#segments[0];
      if (oldest === undefined) return;
      const tooMany = this.#weight > max || this.#segments.length > MAX_SEGMENTS;
      if (!tooMany && oldest.newest + remember > now) return;
      this.#segments.shift();
      this.#weight -= oldest.weight;
      for (const { id } of oldest.requests) this.#known.delete(id);
      if (this.#segments.length === 0) this.#open = false;
      this.onForget(oldest.number);
    }
  }

  #current(now: number): Segment {
    const last = this.#segments.at(-1);
    const { remember, max } = this.#limits;
    const full = last && (last.weight >= max / PARTS || now - last.begun >= remember / PARTS);
    if (last && this.#open && (this.#whole || !full)) return last;
    const segment = { number: this.#next++, begun: now, newest: 0, weight: 0, requests: [], sums: new Map() };
    this.#segments.push(segment);
    this.#open = true;
    return segment;
  }

  #add(segment: Segment, weight: number): void {
    segment.weight += weight;
    this.#weight += weight;
  }
}
