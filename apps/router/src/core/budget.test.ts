import { expect, it } from "vitest";
import { Budget } from "./budget.ts";

/** How many of `times` repetitions are allowed at `now`. */
function spend(budget: Budget, times: number, now: number): number {
  let allowed = 0;
  for (let i = 0; i < times; i++) if (budget.spend(now)) allowed++;
  return allowed;
}

it("allows a share of the last ten seconds' requests", () => {
  const budget = new Budget(0.2);
  for (let i = 0; i < 1000; i++) budget.request(i * 10);
  expect(spend(budget, 1000, 9_999)).toBe(200);
});

it("allows three a second on a service without traffic", () => {
  expect(spend(new Budget(0.2), 100, 5_000)).toBe(30);
  expect(spend(new Budget(0), 100, 5_000)).toBe(30);
});

it("takes the larger of the two, not their sum", () => {
  const budget = new Budget(0.2);
  for (let i = 0; i < 160; i++) budget.request(1000);
  expect(spend(budget, 100, 1000)).toBe(32);
});

it("slides: what was spent or asked ten seconds ago counts no more", () => {
  const budget = new Budget(0.5);
  for (let i = 0; i < 200; i++) budget.request(500);
  expect(spend(budget, 200, 900)).toBe(100);
  expect(spend(budget, 200, 9_999)).toBe(0);
  expect(spend(budget, 200, 10_000)).toBe(30); // both are forgotten, the floor is left
  expect(spend(budget, 200, 19_999)).toBe(0);
  expect(spend(budget, 200, 20_000)).toBe(30);
});

it("slides second by second", () => {
  const budget = new Budget(0.1);
  for (let second = 0; second < 10; second++) {
    for (let i = 0; i < 100; i++) budget.request(second * 1000);
  }
  expect(spend(budget, 200, 9_000)).toBe(100);
  for (let i = 0; i < 100; i++) budget.request(10_000); // the first second leaves, as many come
  expect(spend(budget, 200, 10_000)).toBe(0);
});

it("forgets over any pause, and starts on any clock", () => {
  const budget = new Budget(0.5);
  const begin = 1_763_683_200_000;
  for (let i = 0; i < 200; i++) budget.request(begin);
  expect(spend(budget, 200, begin)).toBe(100);
  expect(spend(budget, 200, begin + 3_600_000)).toBe(30);
});

it("takes nothing when it refuses", () => {
  const budget = new Budget(0);
  expect(spend(budget, 1000, 1000)).toBe(30);
  expect(spend(budget, 1000, 11_000)).toBe(30);
});
