import { describe, expect, it } from "vitest";
import { makePlan } from "./plan.ts";
import { startRollout } from "./start.ts";
import { judgement } from "./test-kit.ts";

describe("a plan", () => {
  it("gets its defaults and its last step", () => {
    expect(makePlan({ judgement, steps: [1, 10] })).toMatchObject({
      steps: [1, 10, 100],
      onTimeout: "pause",
    });
    expect(makePlan({ judgement })).toMatchObject({
      steps: [5, 25, 50, 100],
      stepMin: 60_000,
      stepRequests: 100,
    });
  });

  it.each([
    [{ steps: [50, 25] }, "steps is 50, 25, 100; expected"],
    [{ steps: [0, 50] }, "steps is 0, 50, 100"],
    [{ steps: [Number.NaN] }, "steps is NaN, 100"],
    [{ steps: [101] }, "steps is 101, 100"],
    [{ gates: [30] }, "gates has 30, which is no step; the steps are 5, 25, 50, 100."],
    [{ stepMin: -1 }, "stepMin is -1; expected a finite number of at least 0."],
    [{ bake: Number.NaN }, "bake is NaN"],
    [{ maxDuration: 0 }, "maxDuration is 0; expected a finite number above 0."],
    [{ maxDuration: 100_000 }, "steps and bake alone take 780 s"],
  ])("is refused: %j", (given, message) => {
    expect(() => makePlan({ judgement, ...given })).toThrow(message);
  });

  it("needs two colors, and to know what they run", () => {
    const given = { id: "r", plan: makePlan({ judgement }), at: 0, by: "ann", reason: "" };
    const [blue, green] = ["blue", "green"].map((color) => ({ color, version: "1", digest: color })) as [
      never,
      never,
    ];
    expect(() => startRollout({ ...given, candidate: blue, stable: blue })).toThrow("expected two colors");
    expect(() =>
      startRollout({ ...given, candidate: green, stable: { color: "blue", version: "", digest: "" } }),
    ).toThrow("It is not known what blue runs");
  });
});
