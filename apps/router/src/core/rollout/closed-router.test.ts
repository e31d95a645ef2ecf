import { describe, expect, it } from "vitest";
import { PROMOTE, ROLL_BACK, Scene } from "./test-kit.ts";

describe("while the router is closed to new requests", () => {
  const NONE = { available: false, digest: "new" };

  it("time stands still: no step, no bake, no time-out", () => {
    const scene = new Scene({ maxDuration: 1_000_000, onTimeout: "rollback" })
      .until("shifting")
      .tick(1)
      .tick(1, 500);
    const { times } = scene.state;
    for (let i = 0; i < 50; i++) scene.tick(60, 0, { closed: true, verdict: PROMOTE });
    expect(scene.state).toMatchObject({ phase: "shifting", step: 0, paused: null });
    expect(scene.state.times).toEqual({ ...times, last: scene.at });
    expect(scene.tick(58, 0, { closed: false }).state.step).toBe(0);
    expect(scene.tick(2).state.step).toBe(1);
    scene.until("baking", { verdict: PROMOTE });
    for (let i = 0; i < 50; i++) scene.tick(60, 500, { closed: true });
    expect(scene.state.phase).toBe("baking");
  });

  it("a candidate that is swapped blames nobody, and is waited for anew afterwards", () => {
    const scene = new Scene().until("shifting").tick(20, 0, { candidate: NONE });
    for (let i = 0; i < 5; i++) scene.tick(30, 0, { closed: true });
    expect(scene.state.phase).toBe("shifting");
    expect(scene.tick(29, 0, { closed: false }).state.phase).toBe("shifting");
    expect(scene.tick(1).state.phase).toBe("rolling_back");
  });

  it("evidence still rolls back, and a rollback does not wait for ever", () => {
    const scene = new Scene({ drainLimit: 60_000 }).until("shifting");
    scene.tick(1, 0, { closed: true, verdict: ROLL_BACK, drained: false });
    expect(scene.state.phase).toBe("rolling_back");
    expect(scene.tick(30).tick(30).state.phase).toBe("rolled_back");
  });
});
