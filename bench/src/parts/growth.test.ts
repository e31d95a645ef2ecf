import { expect, it } from "vitest";
import { growths, secondsFor } from "./growth.ts";

it("asks for whole seconds, and at least one", () => {
  expect(secondsFor(200_000, 25_000)).toBe(8);
  expect(secondsFor(100, 25_000)).toBe(1);
  expect(secondsFor(-5, 25_000)).toBe(1);
});

const million = (memory: number, i: number, young = 16) => ({ requests: (i + 1) * 1e6, memory, young });

it("tells growth that goes on from a heap that has settled", () => {
  const settled = [60, 70, 72, 72, 72, 72].map((memory, i) => million(memory, i));
  expect(growths(settled).all).toBeGreaterThan(1);
  expect(growths(settled).late).toBe(0);
  const leaking = [60, 62, 64, 66].map((memory, i) => million(memory, i));
  expect(growths(leaking)).toEqual({ all: 2, late: 2, old: 2 });
});

it("tells a young generation that has grown from a leak", () => {
  const stepped = [147, 147, 173, 173].map((memory, i) => million(memory, i, memory - 121));
  expect(growths(stepped).all).toBeGreaterThan(5);
  expect(growths(stepped).old).toBe(0);
});
