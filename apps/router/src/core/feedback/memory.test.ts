import { describe, expect, it } from "vitest";
import { FeedbackMemory } from "./memory.ts";
import type { Served } from "./served.ts";

const HOUR = 3_600_000;
const limits = { remember: 24 * HOUR, max: 80 };
const served = (id: string, more: Partial<Served> = {}): Served => ({
  id,
  at: 0,
  color: "blue",
  digest: "a",
  predictions: [10],
  ...more,
});
const copy = (id: string, predictions: readonly (number | null)[]): Served =>
  served(id, { color: "green", digest: "b", predictions, shadow: true });

function remembering(...all: Served[]) {
  const memory = new FeedbackMemory(limits);
  for (const one of all) expect(memory.note(one, 0)?.id).toBe(one.id);
  const learn = (id: string, actuals: readonly (number | null)[]) =>
    memory.learn(memory.find(id, 0)!, actuals);
  return { memory, learn };
}

describe("actual values", () => {
  it("give MAE, RMSE and bias by color, version and shadow", () => {
    const { memory, learn } = remembering(
      served("1"),
      served("2"),
      served("3", { color: "green", digest: "b" }),
    );
    learn("1", [13]);
    learn("2", [6]);
    learn("3", [10.5]);
    memory.noteCopy(copy("1", [12]), 0);
    memory.compare(memory.find("1", 0)!);
    expect(memory.accuracy()).toEqual([
      { color: "blue", digest: "a", shadow: false, rows: 2, mae: 3.5, rmse: Math.sqrt(12.5), bias: 0.5 },
      { color: "green", digest: "b", shadow: false, rows: 1, mae: 0.5, rmse: 0.5, bias: -0.5 },
      { color: "green", digest: "b", shadow: true, rows: 1, mae: 1, rmse: 1, bias: -1 },
    ]);
    expect(memory.errorsOf("a")).toEqual([3, 4]);
  });

  it("count once: the first of a row stays, whatever comes after", () => {
    const { memory, learn } = remembering(served("1", { predictions: [10, 20] }));
    expect(learn("1", [11, null])).toBe(1);
    expect(learn("1", [99, null])).toBeUndefined();
    expect(learn("1", [99, 24])).toBeUndefined();
    expect(memory.accuracy()).toMatchObject([{ rows: 2, mae: 2.5 }]);
    expect(memory.find("1", 0)!.actuals).toEqual([11, 24]);
  });

  it("say nothing of a row without a prediction", () => {
    const { memory, learn } = remembering(served("1", { predictions: [null, 20, 1e300] }));
    expect(learn("1", [11, null, 5])).toBeUndefined();
    expect(learn("1", [null, 21, null])).toBe(1);
    expect(memory.accuracy()).toMatchObject([{ rows: 1, mae: 1, rmse: 1 }]);
  });

  it("of several rows at once are one error: their mean", () => {
    const { learn } = remembering(served("1", { predictions: [10, 20] }));
    expect(learn("1", [11, 23])).toBe(2);
  });
});

describe("a pair of a request and its copy", () => {
  it("is compared once, over the rows that both have, whichever comes last", () => {
    const { memory, learn } = remembering(served("1", { predictions: [10, 20] }), served("2"));
    const pair = (id: string) => memory.find(id, 0)!.pair;
    memory.noteCopy(copy("1", [12, null]), 0);
    expect(pair("1")).toBeUndefined();
    learn("1", [11.5, null]);
    expect(pair("1")).toEqual({ main: 1.5, shadow: 0.5 });
    learn("1", [0, 99]);
    expect(pair("1")).toEqual({ main: 1.5, shadow: 0.5 });
    learn("2", [11]);
    expect(pair("2")).toBeUndefined();
    memory.compare(memory.noteCopy(copy("2", [11]), 0)!);
    expect(pair("2")).toEqual({ main: 1, shadow: 0 });
    expect(memory.noteCopy(copy("2", [11]), 0)).toBeUndefined();
  });

  it("is none where the copy is of another request with the same id", () => {
    const { memory, learn } = remembering(served("shared", { predictions: [10, 20] }));
    memory.note(served("shared", { predictions: [70, 80] }), 0);
    const of = (...main: number[]) => ({ beside: (main[0]! + main[1]!) / 2 });
    expect(memory.noteCopy({ ...copy("shared", [70, 80]), ...of(70, 80) }, 0)).toBeUndefined();
    learn("shared", [10, 20]);
    expect(memory.find("shared", 0)!.pair).toBeUndefined();
    memory.compare(memory.noteCopy({ ...copy("shared", [11, 21]), ...of(10, 20) }, 0)!);
    expect(memory.find("shared", 0)!.pair).toEqual({ main: 0, shadow: 1 });
  });

  it("needs the request", () => {
    const { memory } = remembering();
    expect(memory.noteCopy(copy("1", [1]), 0)).toBeUndefined();
  });
});

describe("what is remembered", () => {
  it("is the first answer of an id", () => {
    const { memory } = remembering(served("1"));
    expect(memory.note(served("1", { color: "green" }), 0)).toBeUndefined();
    expect(memory.find("1", 0)!.color).toBe("blue");
  });

  it("is bounded in number: the oldest part goes, and its errors with it", () => {
    const { memory, learn } = remembering(...Array.from({ length: 80 }, (_, n) => served(`${n}`)));
    const forgotten: number[] = [];
    memory.onForget = (segment) => forgotten.push(segment);
    learn("0", [0]);
    learn("79", [9]);
    expect(memory.size).toBe(80);
    memory.note(served("80"), 0);
    expect([memory.size, forgotten, memory.find("9", 0)]).toEqual([71, [1], undefined]);
    expect(memory.find("10", 0)).toBeDefined();
    expect(memory.accuracy()).toMatchObject([{ rows: 1, mae: 1 }]);
    for (let n = 100; n < 10_000; n++) {
      memory.note(served(`${n}`, { at: n, predictions: [1, 2] }), n);
      memory.noteCopy(copy(`${n}`, [1, 2]), n);
      expect(memory.parts.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(80);
    }
  });

  it("is bounded where one request is larger than all", () => {
    const { memory } = remembering(served("1"));
    expect(memory.note(served("2", { predictions: Array(81).fill(1) }), 0)).toBeUndefined();
    expect(memory.size).toBe(0);
    expect(memory.note(served("3"), 0)).toBeDefined();
  });

  it("is bounded in time", () => {
    const { memory } = remembering(served("1"));
    expect(memory.note(served("2", { at: 4 * HOUR }), 4 * HOUR)).toBeDefined();
    expect(memory.find("1", 24 * HOUR - 1)).toBeDefined();
    expect(memory.find("1", 24 * HOUR)).toBeUndefined();
    memory.forget(24 * HOUR);
    expect(memory.size).toBe(1);
    memory.forget(28 * HOUR);
    expect([memory.size, memory.parts]).toEqual([0, []]);
    expect(memory.note(served("3", { at: 1 }), 28 * HOUR)).toBeUndefined();
  });

  it("does not stay because a clock was ahead", () => {
    const { memory } = remembering(served("1", { at: 1e15 }));
    expect(memory.find("1", 24 * HOUR)).toBeUndefined();
  });

  it("shrinks with the limits", () => {
    const { memory } = remembering(...Array.from({ length: 80 }, (_, n) => served(`${n}`)));
    memory.configure({ ...limits, max: 25 }, 0);
    expect(memory.size).toBe(20);
  });
});
