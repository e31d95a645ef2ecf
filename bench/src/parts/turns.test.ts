import { expect, it } from "vitest";
import type { Sample } from "./small.ts";
import { type Rounds, ratioOf, turnsTable, type Way } from "./turns.ts";

const way = (name: string): Way => ({ name, config: {}, prepare: async () => {} });
const turns = (...costs: number[]): Sample[] =>
  costs.map((microseconds) => ({ microseconds, perSecond: 1000, p99: 1.5, memory: 80, failures: 1 }));
const rounds: Rounds = [
  new Map([
    ["off", turns(50, 100, 50)],
    ["on", turns(60, 120, 500)],
  ]),
  new Map([
    ["off", turns(50, 50, 50)],
    ["on", turns(50, 51, 52)],
  ]),
];

it("compares turns with turns, so that neither a slow while nor one disturbed turn counts", () => {
  expect(ratioOf(rounds.slice(0, 1), "on", "off")).toBeCloseTo(1.2);
  expect(ratioOf(rounds.slice(1), "on", "off")).toBeCloseTo(1.02);
  expect(ratioOf(rounds, "on", "off")).toBeCloseTo(1.12);
});

it("says how far rounds differ", () => {
  expect(turnsTable(rounds, [way("off"), way("on")]).rows).toEqual([
    ["off", "50.0", "1.00", "", "1000", "1.50", "6"],
    ["on", "56.0", "1.12", "1.02–1.20", "1000", "1.50", "6"],
  ]);
});

it("has no row where nothing was measured", () => {
  expect(turnsTable([], [way("off")]).rows).toEqual([]);
});
