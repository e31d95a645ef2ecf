import type { Inference } from "./infer.ts";
import { quote, Refused } from "./refused.ts";
import { type InputTensor, wrongCount } from "./tensors.ts";

/** A parsed body, with the id that comes back in the answer. */
export interface JsonInference extends Inference {
  readonly id?: string;
}

type Members = Readonly<Record<string, unknown>>;

/** Reads the body of an infer call: `{"inputs": [{name, shape, datatype, data}], "outputs"?, "id"?, "parameters"?}`. */
export function readInference(body: unknown): JsonInference {
  const request = object(body, 'The body: expected {"inputs": [tensor, …]}');
  const { id, inputs, outputs = [] } = request;
  if (id !== undefined && typeof id !== "string") throw wrong('"id" is no text.');
  checkParameters(request, "the request");
  if (!Array.isArray(inputs)) throw wrong('"inputs" is missing or no array: expected an array of tensors.');
  if (!Array.isArray(outputs))
    throw wrong('"outputs" is no array: expected an array such as [{"name": "fare_amount"}].');
  return {
    ...(id === undefined ? {} : { id }),
    inputs: inputs.map(readInput),
    outputs: outputs.map((output, i) => {
      const members = object(output, `"outputs" item ${i}: expected {"name": …}`);
      checkParameters(members, `"outputs" item ${i}`);
      return text(members, "name", `"outputs" item ${i}`);
    }),
  };
}

function readInput(value: unknown, i: number): InputTensor {
  const at = `"inputs" item ${i}`;
  const tensor = object(value, `${at}: expected {"name", "shape", "datatype", "data"}`);
  const name = text(tensor, "name", at);
  const datatype = text(tensor, "datatype", at);
  const { shape } = tensor;
  checkParameters(tensor, at);
  if (!Array.isArray(shape) || !shape.every(Number.isInteger))
    throw wrong(`Input ${quote(name)} has no "shape": expected an array of whole numbers.`);
  return { name, datatype, shape, elements: (count) => elementsOf(tensor, { name, datatype }, count) };
}

/** `data` may be nested or flat. A float32 tensor holds float32 numbers, whatever digits they were written with. */
function elementsOf(
  { data }: Members,
  { name, datatype }: { name: string; datatype: string },
  count: number,
): readonly unknown[] {
  if (!Array.isArray(data)) throw wrong(`Input "${name}" has no "data": expected an array.`);
  const elements = data.flat();
  if (elements.length !== count) throw wrongCount(name, elements.length, count);
  if (datatype !== "FP32") return elements;
  return elements.map((element) => (typeof element === "number" ? Math.fround(element) : element));
}

/** Parameters change nothing here, but they must be what the protocol says: names with plain values. */
function checkParameters({ parameters }: Members, of: string): void {
  if (parameters === undefined) return;
  const values = Object.values(object(parameters, `"parameters" of ${of}: expected an object`));
  if (!values.every((value) => ["string", "number", "boolean"].includes(typeof value)))
    throw wrong(`"parameters" of ${of}: expected texts, numbers or booleans.`);
}

function text(members: Members, name: string, of: string): string {
  const value = Object.hasOwn(members, name) ? members[name] : undefined;
  if (typeof value !== "string") throw wrong(`${of} has no "${name}": expected a text.`);
  return value;
}

function object(value: unknown, message: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(`${message}.`);
  return value as Members;
}

function wrong(message: string): Refused {
  return new Refused("invalid", message);
}
