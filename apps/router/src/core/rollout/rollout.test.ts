import { describe, expect, it } from "vitest";
import { afterGap } from "./change.ts";
import { isDone } from "./state.ts";
import { HOLD, kinds, PROMOTE, Scene } from "./test-kit.ts";

describe("a rollout", () => {
  it("goes through its steps to 100 %, is watched there, and is over", () => {
    const scene = new Scene().until("promoted", { verdict: PROMOTE });
    expect(scene.state).toMatchObject({ share: 100, step: 3 });
    expect(scene.events).toEqual(["start", "step", "step", "step", "promote", "step", "bake", "promoted"]);
    expect(scene.state.log.map(({ share }) => share)).toEqual([0, 5, 25, 50, 50, 100, 100, 100]);
    expect(isDone(scene.state)).toBe(true);
  });

  it("waits in a step for its time and for its requests", () => {
    const scene = new Scene().until("shifting").tick(1);
    expect(scene.tick(59, 99).state.step).toBe(0);
    expect(scene.tick(600, 0).state.step).toBe(0);
    expect(scene.tick(1, 1).state.step).toBe(1);
    scene.tick(1);
    expect(scene.tick(58, 500).state.step).toBe(1);
    expect(scene.tick(2).state.step).toBe(2);
  });

  it("does not count what was before the weight came in force", () => {
    const scene = new Scene().until("shifting");
    scene.obeys = false;
    scene.facts = { ...scene.facts, share: undefined };
    for (let i = 0; i < 20; i++) scene.tick(30, 100);
    expect(scene.state).toMatchObject({ step: 0, settled: false });
    expect(kinds(scene.effects)).toEqual(["weights"]);
    scene.tick(1, 0, { share: 5 });
    expect(scene.tick(30, 100).state.step).toBe(0);
    expect(scene.tick(30, 0).state.step).toBe(1);
  });

  it("does not count a step whose weight is not in force, though it need not last", () => {
    const scene = new Scene({ stepMin: 0, stepRequests: 0 }).until("shifting");
    scene.obeys = false;
    scene.facts = { ...scene.facts, share: undefined };
    expect(scene.tick(60, 500).tick(60, 500).state.step).toBe(0);
  });

  it("does not begin before the candidate is there, is known, and its gates have passed", () => {
    const scene = new Scene();
    for (const facts of [
      { gates: "waiting" },
      { gates: "passed", candidate: { available: false, digest: "new" } },
      { candidate: { available: true, digest: undefined } },
      { candidate: { available: true, digest: "new" }, stable: { available: false, digest: "old" } },
    ] as const) {
      expect(scene.tick(600, 100, facts).state.phase).toBe("preparing");
    }
    expect(scene.tick(1, 0, { stable: { available: true, digest: "old" } }).state.phase).toBe("shifting");
  });

  it("ends before it began when a gate fails", () => {
    const scene = new Scene().tick(1, 0, { gates: { failed: "golden row 3 is 12.1; expected 11.9" } }).tick();
    expect(scene.state.phase).toBe("rolled_back");
    expect(scene.state.log.at(-2)).toMatchObject({
      event: "rollback",
      reason: "golden row 3 is 12.1; expected 11.9",
    });
  });

  it("gives 100 % only when promotion's guards have passed, however long that takes", () => {
    const scene = new Scene({ maxDuration: 1e12 }).until("shifting");
    for (let i = 0; i < 500; i++) scene.tick(60, 1000);
    expect(scene.state).toMatchObject({ phase: "shifting", share: 50 });
    expect(scene.tick(1, 0, { verdict: PROMOTE }).state.phase).toBe("promoting");
    expect(scene.tick(1, 0, { verdict: HOLD }).state).toMatchObject({ phase: "promoting", share: 50 });
    expect(scene.tick(1, 0, { verdict: PROMOTE }).state.share).toBe(100);
  });

  it("does not end its bake without requests", () => {
    const scene = new Scene().until("baking", { verdict: PROMOTE });
    for (let i = 0; i < 50; i++) scene.tick(30, 1);
    expect(scene.state.phase).toBe("baking");
    expect(scene.tick(1, 100).state.phase).toBe("promoted");
  });

  it("holds without data in every step", () => {
    const scene = new Scene({ maxDuration: 1e12 });
    for (let i = 0; i < 1000; i++) scene.tick(60, 0);
    expect(scene.state).toMatchObject({ phase: "shifting", share: 5, paused: null });
  });
});

describe("while no router looks", () => {
  it("time passes for max_duration alone, and in maintenance not at all", () => {
    const scene = new Scene().until("shifting").tick(1).tick(20);
    const { times } = scene.state;
    const later = times.last + 50_000;
    expect(afterGap(scene.state, later, false).times).toEqual({
      ...{ ...times, last: later, total: times.total + 50_000 },
    });
    expect(afterGap(scene.state, later, true).times).toEqual({ ...times, last: later });
    expect(afterGap(scene.state, times.last - 1, false).times).toEqual(times);
  });
});

describe("max_duration", () => {
  it("pauses, never promotes; the one who resumes gives it as long again", () => {
    const scene = new Scene({ maxDuration: 1_000_000 }).until("shifting");
    for (let i = 0; i < 200; i++) scene.tick(60, 0);
    expect(scene.state).toMatchObject({ phase: "shifting", paused: { by: "timeout" } });
    scene.do("resume");
    expect(scene.tick(900).state.paused).toBeNull();
    expect(scene.tick(200).state.paused).toMatchObject({ by: "timeout" });
  });

  it("rolls back where the plan says so, down time included", () => {
    const scene = new Scene({ maxDuration: 1_000_000, onTimeout: "rollback" }).until("shifting");
    expect(scene.restart().tick(3600, 500).state.phase).toBe("rolling_back");
  });
});

describe("time", () => {
  it("while nobody watched counts for no step, and a clock set back stands still", () => {
    const scene = new Scene({ stepMin: 300_000 }).until("shifting").tick(1).tick(1, 500);
    expect(scene.restart().tick(7200).state.step).toBe(0);
    scene.at -= 7_000_000;
    expect(scene.tick(1).state.step).toBe(0);
    for (let i = 0; i < 4; i++) scene.tick(60);
    expect(scene.state.step).toBe(0);
  });
});
