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
const NUMERIC = /^(?:U?INT(?:8|16|32|64)|FP(?:16|32|64)|BF16)$/;

/** RFC 8259 section 8.1: it may be ignored, and some frameworks send it. */
const BYTE_ORDER_MARK = 0xfeff;

export function isInfer(path: string): boolean {
  return INFER.test(path);
}

/** Reads the predictions of an answer to `path`. NaN and infinity are `null` in JSON. */
export function readPredictions(text: string, path: string, rule: PredictionRule): Reading {
  let json: unknown;
  try {
    json = JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
  } catch {
    return faulty("not_json");
  }
  return check(isInfer(path) ? outputsOf(json) : valuesAt(json, rule.pointer), rule.range);
}

/** The elements of every numeric output tensor, whether they are nested by its shape or not. */
function outputsOf(json: unknown): unknown[] {
  const outputs = (json as { outputs?: unknown } | null)?.outputs;
  const all = Array.isArray(outputs) ? (outputs as { datatype?: unknown; data?: unknown }[]) : [];
  const numeric = all.filter((output) => NUMERIC.test(String(output?.datatype)));
  return numeric.flatMap(({ data }) => (Array.isArray(data) && data.length > 0 ? data.flat(16) : [MISSING]));
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
