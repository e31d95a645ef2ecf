import { expect, it } from "vitest";
import { seeded } from "../../../../test.shared.ts";
import { pickTarget } from "./pick-target.ts";

const random = seeded(2);

it("takes the only one, and nothing from nothing", () => {
  const only = { inFlight: 1000 };
  expect(pickTarget([only], random)).toBe(only);
  expect(pickTarget([], random)).toBeUndefined();
});

it("takes the less loaded of two", () => {
  const [busy, idle] = [{ inFlight: 3 }, { inFlight: 2 }];
  for (let i = 0; i < 100; i++) {
    expect(pickTarget([busy, idle], random)).toBe(idle);
    expect(pickTarget([idle, busy], random)).toBe(idle);
  }
});

it("never takes the most loaded of several", () => {
  const targets = [1, 5, 2, 3].map((inFlight) => ({ inFlight }));
  for (let i = 0; i < 1000; i++) expect(pickTarget(targets, random)!.inFlight).toBeLessThan(5);
});

it("spreads evenly over equals", () => {
  const targets = Array.from({ length: 4 }, (_, id) => ({ id, inFlight: 0 }));
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 8000; i++) counts[pickTarget(targets, random)!.id]! += 1;
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(3.3 * Math.sqrt(1500));
});

it("keeps targets of equal speed within a few requests of each other", () => {
  const targets = Array.from({ length: 10 }, () => ({ inFlight: 0 }));
  for (let i = 0; i < 10_000; i++) pickTarget(targets, random)!.inFlight++;
  const loads = targets.map(({ inFlight }) => inFlight);
  expect(Math.max(...loads) - Math.min(...loads)).toBeLessThan(12);
});
