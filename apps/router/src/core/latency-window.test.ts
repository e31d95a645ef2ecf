import { describe, expect, it } from "vitest";
import { seeded } from "../../../../test.shared.ts";
import { LatencyWindow } from "./latency-window.ts";

function filled(values: readonly number[], now = 0): LatencyWindow {
  const window = new LatencyWindow();
  for (const value of values) window.record(value, now);
  return window;
}

const many = (n: number, value: number) => Array.from({ length: n }, () => value);

describe("p95", () => {
  const random = seeded(5);
  const shapes: Record<string, () => number> = {
    uniform: () => 1 + 99 * random(),
    exponential: () => -5 * Math.log(1 - random()),
    "heavy tail": () => 2 / (1 - random()) ** 0.8,
    "two humps": () => (random() < 0.9 ? 3 : 300) * (1 + 0.1 * random()),
  };
  it.each(Object.keys(shapes))("is never below the true one, nor more than 19 %% above it (%s)", (shape) => {
    const values = Array.from({ length: 2000 }, shapes[shape]!);
    const exact = values.toSorted((a, b) => a - b)[Math.ceil(0.95 * values.length) - 1]!;
    const p95 = filled(values).p95(0)!;
    expect(p95).toBeGreaterThanOrEqual(exact);
    expect(p95).toBeLessThanOrEqual(exact * 1.19);
  });

  it.each([0.02, 0.5, 1, 5, 64, 1000, 30_000, 600_000])("is right for %d ms alone", (value) => {
    const p95 = filled(many(20, value)).p95(0)!;
    expect(p95).toBeGreaterThanOrEqual(value);
    expect(p95).toBeLessThanOrEqual(value * 1.19);
  });

  it("stays finite where nothing can be measured or nothing ends", () => {
    expect(filled(many(20, 0)).p95(0)).toBeLessThan(0.02);
    expect(filled(many(20, 1e12)).p95(0)).toBeLessThan(2e6);
  });
});

it("says nothing before 20 answers", () => {
  expect(filled(many(19, 5)).p95(0)).toBeUndefined();
  expect(filled(many(20, 5)).p95(0)).toBeDefined();
});

it("follows a change of speed as old answers fade", () => {
  const window = filled(many(1000, 100));
  expect(window.p95(0)).toBeGreaterThan(99);
  for (let second = 1; second <= 60; second++) {
    for (let i = 0; i < 100; i++) window.record(1, second * 1000);
  }
  expect(window.p95(60_000)).toBeLessThan(1.2);
});

it("never forgets entirely: a pause leaves what was known", () => {
  const window = filled(many(20, 5));
  const known = window.p95(0);
  expect(window.p95(3_600_000)).toBe(known);
  window.record(5, 3_600_000); // one fading, below 20 answers
  expect(window.p95(3_600_200)).toBe(known);
});

it("computes at most ten times a second", () => {
  const window = filled(many(20, 1));
  const before = window.p95(1000);
  for (let i = 0; i < 1000; i++) window.record(1000, 1001);
  expect(window.p95(1099)).toBe(before);
  expect(window.p95(1100)).toBeGreaterThan(999);
});
