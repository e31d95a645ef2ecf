import type { RowError } from "../check.ts";
import { MAX_ROWS } from "../schema.ts";
import { quote, Refused } from "./refused.ts";

/** A tensor as metadata describe it; -1 is a dimension of any size. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: number[];
}

/** A tensor of a request, its elements row by row. `elements` is called after name, datatype and shape are found good. */
export interface InputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** @param count how many the shape wants @throws Refused */
  elements(count: number): readonly unknown[];
}

export interface OutputTensor {
  readonly name: string;
  readonly datatype: "FP64" | "BOOL";
  readonly shape: number[];
  readonly data: readonly number[] | readonly boolean[];
}

const COLUMN = [-1];

/** A tensor a field of a trip, an element a trip. `pickup_datetime` may be left out, as in `/api/predict/`. */
export const INPUTS: readonly TensorMetadata[] = [
  { name: "pickup_latitude", datatype: "FP64", shape: COLUMN },
  { name: "pickup_longitude", datatype: "FP64", shape: COLUMN },
  { name: "dropoff_latitude", datatype: "FP64", shape: COLUMN },
  { name: "dropoff_longitude", datatype: "FP64", shape: COLUMN },
  { name: "passenger_count", datatype: "INT64", shape: COLUMN },
  { name: "pickup_datetime", datatype: "BYTES", shape: COLUMN },
];

export const OUTPUTS: readonly TensorMetadata[] = [
  { name: "fare_amount", datatype: "FP64", shape: COLUMN },
  { name: "extrapolated", datatype: "BOOL", shape: COLUMN },
];

const OPTIONAL = "pickup_datetime";
const INTEGERS = ["INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"];

/** Any number will do for a number, since the row's check looks at its value; text is only text. */
const ACCEPTED: Readonly<Record<string, readonly string[]>> = {
  FP64: ["FP64", "FP32", ...INTEGERS],
  INT64: [...INTEGERS, "FP64", "FP32"],
  BYTES: ["BYTES"],
};

/**
 * Turns tensors, a column each, into the rows that `checkRows` takes. The values are not looked at.
 * @throws Refused for a tensor that is unknown, missing, double, or of a wrong datatype, shape or length
 */
export function rowsOf(inputs: readonly InputTensor[]): Record<string, unknown>[] {
  const columns = new Map(inputs.map((input) => [input.name, input]));
  if (inputs.length === 0) throw invalid(`"inputs" is empty: expected ${names(INPUTS)}.`);
  for (const input of inputs) checkHead(input, columns);
  for (const { name } of INPUTS)
    if (name !== OPTIONAL && !columns.has(name)) throw invalid(`Input ${quote(name)} is missing.`);
  const count = countRows(inputs);
  const rows = Array.from({ length: count }, (): Record<string, unknown> => ({}));
  for (const input of inputs) {
    const elements = input.elements(count);
    for (const [i, row] of rows.entries()) row[input.name] = elements[i];
  }
  return rows;
}

function checkHead(input: InputTensor, columns: ReadonlyMap<string, InputTensor>): void {
  const metadata = INPUTS.find(({ name }) => name === input.name);
  if (!metadata) throw invalid(`Input ${quote(input.name)} is unknown: expected ${names(INPUTS)}.`);
  if (columns.get(input.name) !== input) throw invalid(`Input ${quote(input.name)} is there twice.`);
  const accepted = ACCEPTED[metadata.datatype]!;
  if (!accepted.includes(input.datatype))
    throw invalid(
      `Input "${input.name}" has datatype ${quote(input.datatype)}: expected ${accepted.join(", ")}.`,
    );
  const [rows, width = 1, ...more] = input.shape;
  if (rows === undefined || width !== 1 || more.length > 0 || !Number.isSafeInteger(rows) || rows < 0)
    throw invalid(
      `Input "${input.name}" has shape ${formatShape(input.shape)}: expected [N] or [N,1] for N trips.`,
    );
}

function countRows([first, ...others]: readonly InputTensor[]): number {
  const count = first!.shape[0]!;
  for (const { name, shape } of others) {
    if (shape[0] !== count)
      throw invalid(
        `Input "${name}" has ${shape[0]} elements and "${first!.name}" has ${count}: expected one for each trip.`,
      );
  }
  if (count === 0) throw invalid("The inputs are empty: expected at least one trip.");
  if (count > MAX_ROWS) throw invalid(`The inputs have ${count} trips: expected at most ${MAX_ROWS}.`);
  return count;
}

/** Which outputs to send, in the order asked for; all when none are named. @throws Refused */
export function selectOutputs(asked: readonly string[]): readonly string[] {
  const known = OUTPUTS.map(({ name }) => name);
  for (const [i, name] of asked.entries()) {
    if (!known.includes(name)) throw invalid(`Output ${quote(name)} is unknown: expected ${names(OUTPUTS)}.`);
    if (asked.indexOf(name) !== i) throw invalid(`Output ${quote(name)} is there twice.`);
  }
  return asked.length > 0 ? asked : known;
}

/** How many errors fit a message: gRPC carries it in a header. */
const LISTED = 10;

/** The refusal of `checkRows` as one text. */
export function describeRows(detail: string, errors: readonly RowError[], omitted: number): string {
  const listed = errors
    .slice(0, LISTED)
    .map(({ index, field, reason }) => `Trip ${index}, ${field}: ${reason}.`);
  const left = errors.length - listed.length + omitted;
  return [detail, ...listed, ...(left > 0 ? [`${left} more.`] : [])].join(" ");
}

/** The refusal of a tensor whose data are not what its shape says. */
export function wrongCount(name: string, got: number, expected: number, unit = "elements"): Refused {
  return invalid(`Input "${name}" has ${got} ${unit} of data: its shape and datatype want ${expected}.`);
}

function formatShape(shape: readonly number[]): string {
  return shape.length > 8 ? `of ${shape.length} dimensions` : `[${shape.join(",")}]`;
}

function names(tensors: readonly TensorMetadata[]): string {
  return tensors.map(({ name }) => name).join(", ");
}

function invalid(message: string): Refused {
  return new Refused("invalid", message);
}
