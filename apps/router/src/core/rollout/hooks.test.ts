import { describe, expect, it } from "vitest";
import { isDone } from "./state.ts";
import { kinds, PROMOTE, Scene } from "./test-kit.ts";

describe("hooks", () => {
  const hooks = { before_rollout: "a", before_promotion: "b", after_promotion: "c", on_rollback: "d" };

  it("run at their moments, and are waited for where they decide", () => {
    const scene = new Scene({ hooks }).tick();
    expect(scene.effects).toContainEqual({ kind: "hook", moment: "before_rollout", name: "a" });
    expect(scene.tick(1, 0, { hookRunning: true }).effects).toEqual([]);
    expect(scene.tick(600, 1000).state.phase).toBe("preparing");
    scene.hook(true).until("promoted", { verdict: PROMOTE, hookRunning: false });
    expect(scene.state.log.filter(({ event }) => event === "hook").map(({ reason }) => reason)).toEqual([
      "a (before rollout) succeeded: 200",
      "b (before promotion) succeeded: 200",
      "c (after promotion) succeeded: 200",
    ]);
  });

  it("are asked for again by a router that was killed", () => {
    const scene = new Scene({ hooks }).tick().restart().tick();
    expect(scene.effects).toContainEqual({ kind: "hook", moment: "before_rollout", name: "a" });
  });

  it("that fail end a rollout before it begins, and breach it before promotion", () => {
    expect(new Scene({ hooks }).tick().hook(false).state.phase).toBe("rolling_back");
    const scene = new Scene({ hooks, onBreach: "pause" }).until("shifting", { verdict: PROMOTE });
    for (let i = 0; i < 12; i++) scene.tick(30, 100);
    expect(scene.hook(false).state).toMatchObject({
      phase: "promoting",
      share: 50,
      paused: { by: "breach" },
    });
    scene.do("resume");
    expect(scene.tick().effects).toContainEqual({ kind: "hook", moment: "before_promotion", name: "b" });
    expect(scene.hook(true).tick().state.share).toBe(100);
  });

  it("on rollback run after an abort as well, once, and cannot hold it back", () => {
    const scene = new Scene({ hooks }).until("shifting", {});
    scene.do("abort");
    expect(scene.state).toMatchObject({ phase: "aborted", share: 0, hook: { name: "d" } });
    scene.tick().hook(false);
    expect(scene.state.phase).toBe("aborted");
    scene.do("abort");
    expect(kinds(scene.tick().effects)).toEqual([]);
    expect(isDone(scene.state)).toBe(true);
  });
});
