import { expect, it } from "vitest";
import { seeded } from "../../../../test.shared.ts";
import { type Colors, testPlane } from "../../test/support/plane.ts";
import { assignedOf, send, url } from "../../test/support/requests.ts";

const color = (weight: number, port: number, health: "up" | "down" = "up") => ({
  weight,
  targets: [{ url: url(port), health }],
});
const NINE_ONE: Colors = { blue: color(9, 1), green: color(1, 2) };

/** Which color answered each of `times` requests, as a count by the target's port. */
function answeredBy(plane: Parameters<typeof send>[0], times: number): Record<number, number> {
  const counts: Record<number, number> = {};
  for (let i = 0; i < times; i++) {
    const port = send(plane).ports.at(-1) ?? 0;
    counts[port] = (counts[port] ?? 0) + 1;
  }
  return counts;
}

it("assigns 9 and 1 of 10,000 within the 99.9 % binomial interval (random)", () => {
  const { plane } = testPlane(NINE_ONE, { random: seeded(1) });
  const { blue } = assignedOf(plane, 10_000);
  expect(Math.abs(blue! - 9000)).toBeLessThanOrEqual(3.2905 * Math.sqrt(900));
});

it("assigns exactly 90 of 100, one in every ten (exact)", () => {
  const { plane } = testPlane(NINE_ONE, { snapshot: { split: "exact" } });
  for (let i = 0; i < 10; i++) expect(assignedOf(plane, 10)).toEqual({ blue: 9, green: 1 });
});

it("gives weight 0 nothing", () => {
  for (const split of ["random", "exact"] as const) {
    const colors = { blue: color(1, 1), green: color(0, 2) };
    const { plane } = testPlane(colors, { snapshot: { split }, random: seeded(1) });
    expect(answeredBy(plane, 1000)).toEqual({ 1: 1000 });
  }
});

it("divides [3, 2, 1] as 3 to 1 while the middle is down, not 4 to 2", () => {
  const colors = { blue: color(3, 1), green: color(2, 2, "down"), red: color(1, 3) };
  const exact = testPlane(colors, { snapshot: { split: "exact" } });
  expect(answeredBy(exact.plane, 120)).toEqual({ 1: 90, 3: 30 });
  const random = testPlane(colors, { random: seeded(4) });
  const { 1: blue } = answeredBy(random.plane, 10_000);
  expect(Math.abs(blue! - 7500)).toBeLessThanOrEqual(3.2905 * Math.sqrt(1875));
});

it("gives a color that recovers its share and no burst (exact)", () => {
  const { plane, serve } = testPlane(NINE_ONE, { snapshot: { split: "exact" } });
  const down = { blue: color(9, 1), green: color(1, 2, "down") };
  answeredBy(plane, 5);
  serve(down, { split: "exact" });
  expect(answeredBy(plane, 100)).toEqual({ 1: 100 });
  serve(NINE_ONE, { split: "exact" });
  for (let i = 0; i < 5; i++) expect(answeredBy(plane, 10)).toEqual({ 1: 9, 2: 1 });
});

it("keeps its place over snapshots that change health alone, and begins anew with other weights (exact)", () => {
  const { plane, serve } = testPlane(NINE_ONE, { snapshot: { split: "exact" } });
  for (let i = 0; i < 100; i++) {
    if (i % 3 === 0) serve(NINE_ONE, { split: "exact" });
    send(plane);
  }
  expect(plane.report().colors.green?.assigned).toBe(10);
  // five of nine and one are behind green's turn; new weights must not remember it
  assignedOf(plane, 5);
  serve({ blue: color(1, 1), green: color(1, 2) }, { split: "exact" });
  const turns = Array.from({ length: 4 }, () => send(plane).exchange.assigned.name);
  expect(turns).toEqual(["blue", "green", "blue", "green"]);
});

it("draws at random while a snapshot says so, whatever is configured", () => {
  const { plane } = testPlane(NINE_ONE, { config: { split: "exact" }, random: seeded(2) });
  const tens = Array.from({ length: 50 }, () => assignedOf(plane, 10).green);
  expect(new Set(tens).size).toBeGreaterThan(1);
});

it("serves by the newest epoch, whatever order snapshots come in", () => {
  const { plane, serve } = testPlane(NINE_ONE);
  serve({ blue: color(0, 1), green: color(1, 2) });
  serve(NINE_ONE, { epoch: plane.epoch - 1 });
  expect(assignedOf(plane, 50)).toEqual({ blue: 0, green: 50 });
});

it("answers no_target before the first snapshot", () => {
  const { plane } = testPlane({ blue: { weight: 0, targets: [] }, green: { weight: 0, targets: [] } });
  expect(send(plane).status).toBe(503);
});
