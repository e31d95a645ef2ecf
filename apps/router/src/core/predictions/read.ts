import { LARGEST } from "../feedback/served.ts";
import { MISSING, type Pointer, valuesAt } from "./pointer.ts";

/** What can be wrong with an answer that says 200: in the order in which it is looked for. */
export const FAULTS = ["not_json", "missing", "null", "not_number", "out_of_range"] as const;
export type Fault = (typeof FAULTS)[number];

/** Where predictions are in answers, and what they may be. */
export interface PredictionRule {
  readonly pointer: Pointer;
  /** Least and largest plausible prediction, both included; undefined: any that is not beyond {@link LARGEST}, on either side. */
  readonly range: readonly [number, number] | undefined;
}

/** The predictions of one answer. `fault` is the first thing that is wrong; then there are no values. */
export interface Reading {
  readonly values: readonly number[];
  readonly fault: Fault | undefined;
}

/** An infer call of the Open Inference Protocol, REST: its outputs have a form of their own. */
const INFER = /^\/v2\/models\/[^/?]+(?:\/versions\/[^/?]+)?\/infer(?:\?|$)/;
const MOST_DIMENSIONS = 16;
const NUMERIC = /^(?:U?INT(?:8|16|32|64)|FP(?:16|32|64)|BF16)$/;

/** Predictions that one answer may have: reading takes its time by them as much as by bytes. */
export const MOST_VALUES = 10_000;

/** RFC 8259 section 8.1: it may be ignored, and some frameworks send it. */
const BYTE_ORDER_MARK = 0xfeff;

export function isInfer(path: string): boolean {
  return INFER.test(path);
}

/**
 * Reads the predictions of an answer to `path`. NaN and infinity are `null` in JSON.
 * @returns undefined where there are more than {@link MOST_VALUES}
 */
export function readPredictions(text: string, path: string, rule: PredictionRule): Reading | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
  } catch {
    return faulty("not_json");
  }
  const found = isInfer(path) ? outputsOf(json) : valuesAt(json, rule.pointer, MOST_VALUES);
  return found.length > MOST_VALUES ? undefined : check(found, rule.range);
}

/** The elements of every numeric output tensor, whether they are nested by its shape or not. */
function outputsOf(json: unknown): unknown[] {
  const outputs = (json as { outputs?: unknown } | null)?.outputs;
  const found: unknown[] = [];
  for (const output of Array.isArray(outputs) ? outputs : []) {
    const { datatype, data } = (output ?? {}) as { datatype?: unknown; data?: unknown };
    if (typeof datatype !== "string" || !NUMERIC.test(datatype)) continue;
    if (Array.isArray(data) && data.length > 0) flatten(data, MOST_DIMENSIONS, found);
    else found.push(MISSING);
    if (found.length > MOST_VALUES) break;
  }
  return found;
}

function flatten(data: readonly unknown[], depth: number, into: unknown[]): void {
  for (let i = 0; i < data.length && into.length <= MOST_VALUES; i++) {
    const each = data[i];
    if (Array.isArray(each) && depth > 0) flatten(each, depth - 1, into);
    else into.push(each);
  }
}

function check(found: readonly unknown[], range: PredictionRule["range"]): Reading {
  if (found.length === 0 || found.includes(MISSING)) return faulty("missing");
  if (found.includes(null)) return faulty("null");
  if (!found.every((value) => typeof value === "number" && Number.isFinite(value)))
    return faulty("not_number");
  const values = found as number[];
  const [least, most] = range ?? [-LARGEST, LARGEST];
  const isPlausible = (value: number) => value >= least && value <= most && Math.abs(value) <= LARGEST;
  if (!values.every(isPlausible)) return faulty("out_of_range");
  return { values, fault: undefined };
}

export function faulty(fault: Fault): Reading {
  return { values: [], fault };
}

/** One number for an answer, because a request is one draw however many rows it has: the mean. */
export function centerOf(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value / values.length;
  return sum;
}
