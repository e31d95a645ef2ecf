import type { MessageInitShape } from "@bufbuild/protobuf";
import type { InferTensorContents, InferTensorContentsSchema, ModelInferRequest } from "@sluice/protos";
import { Refused } from "../inference/refused.ts";
import { type InputTensor, type OutputTensor, wrongCount } from "../inference/tensors.ts";

type List = Exclude<keyof InferTensorContents, "$typeName" | "$unknown">;

interface Representation {
  /** The list of typed contents. */
  readonly list: List;
  /** Bytes of an element in raw contents; undefined: each has its own length. */
  readonly size?: number;
  readonly read: (view: DataView, offset: number) => unknown;
}

/** How a datatype's elements travel. FP16 and BF16 are not here: nothing takes them. */
const REPRESENTATIONS: Readonly<Record<string, Representation>> = {
  BOOL: { list: "boolContents", size: 1, read: (view, at) => view.getUint8(at) !== 0 },
  INT8: { list: "intContents", size: 1, read: (view, at) => view.getInt8(at) },
  INT16: { list: "intContents", size: 2, read: (view, at) => view.getInt16(at, true) },
  INT32: { list: "intContents", size: 4, read: (view, at) => view.getInt32(at, true) },
  INT64: { list: "int64Contents", size: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  UINT8: { list: "uintContents", size: 1, read: (view, at) => view.getUint8(at) },
  UINT16: { list: "uintContents", size: 2, read: (view, at) => view.getUint16(at, true) },
  UINT32: { list: "uintContents", size: 4, read: (view, at) => view.getUint32(at, true) },
  UINT64: { list: "uint64Contents", size: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  FP32: { list: "fp32Contents", size: 4, read: (view, at) => view.getFloat32(at, true) },
  FP64: { list: "fp64Contents", size: 8, read: (view, at) => view.getFloat64(at, true) },
  BYTES: { list: "bytesContents", read: (view, at) => text(view, at, view.byteLength - at) },
};

const utf8 = new TextDecoder();

/** The tensors of a call, whichever way their elements came. @throws Refused when raw and typed contents do not fit */
export function readInputs({ inputs, rawInputContents: raw }: ModelInferRequest): InputTensor[] {
  if (raw.length > 0 && raw.length !== inputs.length)
    throw invalid(
      `raw_input_contents has ${raw.length} items for ${inputs.length} inputs: expected one for each.`,
    );
  if (raw.length > 0 && inputs.some(({ contents }) => contents))
    throw invalid("Inputs have both contents and raw_input_contents: expected one of them.");
  return inputs.map(({ name, datatype, shape, contents }, i) => ({
    name,
    datatype,
    shape: shape.map(Number),
    elements: (count) =>
      raw.length > 0
        ? rawElements(name, REPRESENTATIONS[datatype]!, raw[i]!, count)
        : typedElements(name, datatype, contents, count),
  }));
}

function typedElements(
  name: string,
  datatype: string,
  contents: InferTensorContents | undefined,
  count: number,
): readonly unknown[] {
  const { list } = REPRESENTATIONS[datatype]!;
  const given = Object.entries(contents ?? {}).find(
    ([key, values]) => key !== list && Array.isArray(values) && values.length > 0,
  );
  if (given)
    throw invalid(`Input "${name}" has ${snake(given[0])}: ${datatype} elements go into ${snake(list)}.`);
  const elements: readonly unknown[] = contents?.[list] ?? [];
  if (elements.length !== count) throw wrongCount(name, elements.length, count);
  return elements.map(plain);
}

/** Numbers as /api/predict/ has them, and text. A 64-bit number too large for either is far out of any range. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  return value instanceof Uint8Array ? utf8.decode(value) : value;
}

function rawElements(
  name: string,
  { size, read }: Representation,
  bytes: Uint8Array,
  count: number,
): unknown[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size === undefined) return rawTexts(name, view, count);
  if (view.byteLength !== count * size) throw wrongCount(name, view.byteLength, count * size, "bytes");
  return Array.from({ length: count }, (_, i) => read(view, i * size));
}

/** Each text is behind its length in bytes, four bytes little-endian. */
function rawTexts(name: string, view: DataView, count: number): string[] {
  const texts: string[] = [];
  let at = 0;
  while (texts.length < count && at + 4 <= view.byteLength) {
    const length = view.getUint32(at, true);
    at += 4;
    if (at + length > view.byteLength) break;
    texts.push(text(view, at, length));
    at += length;
  }
  if (texts.length === count && at === view.byteLength) return texts;
  throw invalid(
    `Input "${name}": its raw contents are not ${count} texts, each behind its length in four bytes, little-endian.`,
  );
}

function text({ buffer, byteOffset }: DataView, at: number, length: number): string {
  return utf8.decode(new Uint8Array(buffer, byteOffset + at, length));
}

export function typedContents({ data }: OutputTensor): MessageInitShape<typeof InferTensorContentsSchema> {
  return isBooleans(data) ? { boolContents: [...data] } : { fp64Contents: [...data] };
}

export function rawContents({ data }: OutputTensor): Uint8Array<ArrayBuffer> {
  if (isBooleans(data)) return Uint8Array.from(data, Number);
  const bytes = new Uint8Array(data.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of data.entries()) view.setFloat64(i * 8, value, true);
  return bytes;
}

function isBooleans(data: OutputTensor["data"]): data is readonly boolean[] {
  return typeof data[0] === "boolean";
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function invalid(message: string): Refused {
  return new Refused("invalid", message);
}
