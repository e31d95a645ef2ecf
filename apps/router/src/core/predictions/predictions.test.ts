import { describe, expect, it } from "vitest";
import { MISSING, parsePointer, valuesAt } from "./pointer.ts";
import { centerOf, readPredictions } from "./read.ts";
import {
  addSketches,
  countOfSketch,
  EMPTY_SKETCH,
  quantileOf,
  SketchCounter,
  sampleOf,
  sketchGrowth,
} from "./sketch.ts";

const at = (json: unknown, pointer: string) => valuesAt(json, parsePointer(pointer));

describe("a pointer", () => {
  it("finds what stands there, and every element where it says *", () => {
    const json = { predictions: [{ fare_amount: 1 }, { fare_amount: 2 }], "a/b": { "m~n": 7 } };
    expect(at(json, "/predictions/*/fare_amount")).toEqual([1, 2]);
    expect(at(json, "/predictions/1/fare_amount")).toEqual([2]);
    expect(at(json, "/a~1b/m~0n")).toEqual([7]);
    expect(at({ y: 3 }, "/y")).toEqual([3]);
    expect(at({ "*": 3 }, "/*")).toEqual([3]);
  });

  it.each([
    [{}, "/y"],
    [{ predictions: [] }, "/predictions/*"],
    [{ predictions: [{}] }, "/predictions/*/y"],
    [{ predictions: 5 }, "/predictions/*"],
    [null, "/y"],
    [[1], "/1"],
    [[1], "/01"],
    [{}, "/constructor"],
    [{}, "/__proto__"],
  ])("says what is missing in %j at %s", (json, pointer) => {
    expect(at(json, pointer)).toEqual([MISSING]);
  });

  it.each(["", "y", "/a~2", "/~", `${"/a".repeat(33)}`])("refuses %j", (text) => {
    expect(() => parsePointer(text)).toThrow(/is no JSON Pointer; expected one such as/);
  });
});

describe("the predictions of an answer", () => {
  const rule = { pointer: parsePointer("/predictions/*/fare_amount"), range: [0, 500] as const };
  const read = (text: string, path = "/api/predict/") => readPredictions(text, path, rule);
  const infer = (outputs: unknown) => read(JSON.stringify({ outputs }), "/v2/models/taxi-fare/infer");

  it("are the numbers at the pointer", () => {
    expect(read('{"predictions":[{"fare_amount":11.5},{"fare_amount":0}]}')).toEqual({
      values: [11.5, 0],
      fault: undefined,
    });
    expect(centerOf([11.5, 0.5])).toBe(6);
  });

  it.each([
    ["not_json", "<html>"],
    ["not_json", ""],
    ["missing", "{}"],
    ["missing", '{"predictions":[]}'],
    ["missing", '{"predictions":[{"fare_amount":1},{}]}'],
    ["null", '{"predictions":[{"fare_amount":null}]}'],
    ["not_number", '{"predictions":[{"fare_amount":"11"}]}'],
    ["not_number", '{"predictions":[{"fare_amount":1e999}]}'],
    ["not_number", '{"predictions":[{"fare_amount":true}]}'],
    ["out_of_range", '{"predictions":[{"fare_amount":-0.01}]}'],
    ["out_of_range", '{"predictions":[{"fare_amount":1},{"fare_amount":500.01}]}'],
  ])("are %s in %s", (fault, text) => {
    expect(read(text)).toEqual({ values: [], fault });
  });

  it("are out of range beyond what has a sum, whatever the range", () => {
    for (const range of [undefined, [-1.7e308, 1.7e308] as const]) {
      const any = { pointer: parsePointer("/x"), range };
      expect(readPredictions('{"x":-1e15}', "/", any)?.values).toEqual([-1e15]);
      expect(readPredictions('{"x":-1.1e15}', "/", any)?.fault).toBe("out_of_range");
      expect(readPredictions('{"x":1.7e308}', "/", any)?.fault).toBe("out_of_range");
    }
  });

  it("are not read where there are more than ten thousand, however they are found", () => {
    const many = (count: number) => Array.from({ length: count }, () => ({ fare_amount: 1 }));
    expect(read(JSON.stringify({ predictions: many(10_000) }))?.values).toHaveLength(10_000);
    expect(read(JSON.stringify({ predictions: many(10_001) }))).toBeUndefined();
    expect(read(JSON.stringify({ predictions: Array.from({ length: 10_001 }, () => 0) }))).toBeUndefined();
    const tensor = (count: number) => ({ datatype: "FP64", data: Array.from({ length: count }, () => 1) });
    expect(infer([tensor(5000), tensor(5000)])?.values).toHaveLength(10_000);
    expect(infer([tensor(5000), tensor(5001)])).toBeUndefined();
    expect(infer([{ datatype: "FP64", data: [tensor(9000).data, tensor(9000).data] }])).toBeUndefined();
  });

  it("are the numeric outputs of the Open Inference Protocol, flat or nested", () => {
    const flat = { name: "fare_amount", datatype: "FP64", shape: [2], data: [1, 2] };
    const flags = { name: "extrapolated", datatype: "BOOL", shape: [2], data: [true, false] };
    expect(infer([flat, flags])?.values).toEqual([1, 2]);
    expect(infer([{ ...flat, data: [[3], [4]] }])?.values).toEqual([3, 4]);
    expect(infer([{ ...flat, data: [1, null] }])?.fault).toBe("null");
    expect(infer([flags])?.fault).toBe("missing");
    expect(infer([null, 5])?.fault).toBe("missing");
    for (const datatype of [
      undefined,
      null,
      5,
      ["FP64"],
      { toString: 1 },
      { toString: null, valueOf: null },
    ]) {
      expect(infer([{ ...flat, datatype }])?.fault, String(JSON.stringify(datatype))).toBe("missing");
    }
    expect(infer([{ ...flat, data: { length: 3 } }, flat])?.fault).toBe("missing");
    const nested = (depth: number): unknown => (depth === 0 ? 7 : [nested(depth - 1)]);
    expect(infer([{ ...flat, data: nested(17) }])?.values).toEqual([7]);
    expect(infer([{ ...flat, data: nested(18) }])?.fault).toBe("not_number");
    expect(infer(undefined)?.fault).toBe("missing");
    const versioned = JSON.stringify({ outputs: [flat] });
    expect(read(versioned, "/v2/models/taxi-fare/versions/1.0.0/infer?a=b")?.values).toEqual([1, 2]);
    expect(read(versioned, "/v2/models/taxi-fare/infer/more")?.fault).toBe("missing");
  });
});

describe("a sketch", () => {
  const sketchOf = (values: readonly number[]) => {
    const counter = new SketchCounter();
    for (const value of values) counter.add(value);
    return counter.sketch();
  };
  const fares = Array.from({ length: 1000 }, (_, i) => 2.5 + ((i * 37) % 1000) / 10);

  it("knows every quantile to within 2 %, of numbers on both sides of 0", () => {
    const sorted = [...fares].sort((a, b) => a - b);
    for (const q of [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]) {
      const exact = sorted[Math.floor(q * 999)]!;
      expect(Math.abs(quantileOf(sketchOf(fares), q)! - exact)).toBeLessThanOrEqual(0.0201 * exact);
    }
    for (const large of [3e9, 7e12, 2e15]) {
      expect(Math.abs(quantileOf(sketchOf([large]), 1)! - large)).toBeLessThanOrEqual(0.0201 * large);
    }
    const mixed = sketchOf([-100, -1, 0, 1, 100]);
    for (const [i, exact] of [-100, -1, 0, 1, 100].entries()) {
      expect(Math.abs(quantileOf(mixed, i / 4)! - exact)).toBeLessThanOrEqual(0.0201 * Math.abs(exact));
    }
    expect(quantileOf(EMPTY_SKETCH, 0.5)).toBeUndefined();
  });

  it("adds up, and knows what came since", () => {
    const [first, second] = [sketchOf(fares.slice(0, 400)), sketchOf(fares.slice(400))];
    const all = addSketches(first, second);
    expect(all.counts).toEqual(sketchOf(fares).counts);
    expect(countOfSketch(all)).toBe(1000);
    expect(sketchGrowth(first, all).counts).toEqual(second.counts);
    expect(sketchGrowth(all, all).counts).toEqual({});
  });

  it("stays bounded, whatever it is fed", () => {
    const counter = new SketchCounter();
    for (let i = -400; i <= 400; i++) {
      for (const sign of [-1, 1]) counter.add(sign * (1 + (i % 7) / 7) * 10 ** (i / 1.3));
    }
    counter.add(Number.MAX_VALUE);
    counter.add(Number.MIN_VALUE);
    expect(Object.keys(counter.sketch().counts).length).toBeLessThan(2500);
    expect(quantileOf(counter.sketch(), 1)).toBeLessThanOrEqual(2.1e15);
  });

  it("gives a sample that is spread as what was counted", () => {
    const sample = sampleOf(sketchOf([...Array(750).fill(10), ...Array(250).fill(40)]));
    expect(sample).toHaveLength(1000);
    expect(sample.filter((value) => value < 20)).toHaveLength(750);
    expect(sampleOf(EMPTY_SKETCH)).toEqual([]);
  });
});
