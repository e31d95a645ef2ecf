import { describe, expect, it } from "vitest";
import { kinds, PAUSE, PROMOTE, ROLL_BACK, Scene } from "./test-kit.ts";

describe("a breach", () => {
  it.each(["shifting", "awaiting_approval", "promoting", "baking"] as const)(
    "rolls back while %s",
    (phase) => {
      const hooks = { before_promotion: "check" };
      const scene = new Scene({ gates: [50], hooks });
      if (phase !== "shifting" && phase !== "awaiting_approval") {
        scene.until("awaiting_approval", { verdict: PROMOTE });
        scene.do("approve");
      }
      if (phase === "promoting") for (let i = 0; i < 12; i++) scene.tick(30, 100);
      else scene.until(phase, { verdict: PROMOTE });
      expect(scene.state.phase).toBe(phase);
      scene.tick(1, 0, { verdict: ROLL_BACK, drained: false });
      expect(scene.state).toMatchObject({ phase: "rolling_back", share: 0 });
      expect(scene.effects).toContainEqual({ kind: "weights", candidate: 0, stable: 100 });
      expect(kinds(scene.tick().effects)).toEqual(["drain"]);
      expect(scene.tick(1, 0, { drained: true }).state.phase).toBe("rolled_back");
    },
  );

  it("pauses where the plan says so, and the one who resumes accepts that guard and no other", () => {
    const scene = new Scene({ onBreach: "pause" }).until("shifting").tick(1, 0, { verdict: ROLL_BACK });
    expect(scene.state).toMatchObject({ share: 5, paused: { by: "breach", guard: "errors" } });
    expect(scene.state.paused!.reason).toBe("errors: roll back, but on_breach is pause");
    scene.tick(600, 1000);
    expect(scene.state.step).toBe(0);
    expect(scene.do("resume")).toBeUndefined();
    expect(scene.state).toMatchObject({ paused: null, accepted: ["errors"] });
    scene.tick(1, 0, { verdict: { ...ROLL_BACK, guard: "slow" } });
    expect(scene.state.paused).toMatchObject({ guard: "slow" });
  });

  it("of both colors pauses, though the plan says to roll back", () => {
    const scene = new Scene().until("shifting").tick(1, 0, { verdict: PAUSE });
    expect(scene.state).toMatchObject({ phase: "shifting", share: 5, paused: { guard: "objective" } });
  });

  it("rolls back a rollout that a breach of both colors paused, once its evidence says so", () => {
    const scene = new Scene().until("shifting").tick(1, 0, { verdict: PAUSE });
    const later = scene.tick(1, 0, { verdict: ROLL_BACK }).state;
    expect(later).toMatchObject({ phase: "rolling_back", share: 0, paused: null });
  });

  it("rolls back a paused rollout, too", () => {
    const scene = new Scene().until("shifting");
    scene.do("pause");
    expect(scene.tick(1, 0, { verdict: ROLL_BACK }).state).toMatchObject({
      phase: "rolling_back",
      paused: null,
    });
  });

  it("does not send everybody to a stable color that cannot answer, until it can", () => {
    const scene = new Scene().until("shifting");
    scene.tick(1, 0, { verdict: ROLL_BACK, stable: { available: false, digest: "old" } });
    expect(scene.state).toMatchObject({ share: 5, paused: { by: "breach" } });
    expect(scene.state.paused!.reason).toBe("errors: roll back; blue has no available target to go back to");
    expect(scene.tick(1, 0, { stable: { available: true, digest: "old" } }).state.phase).toBe("rolling_back");
  });

  it("is a candidate without targets for too long, but not an outage of both", () => {
    const gone = { available: false, digest: undefined };
    const scene = new Scene().until("shifting");
    for (let i = 0; i < 100; i++) scene.tick(10, 0, { candidate: gone, stable: gone });
    expect(scene.state.phase).toBe("shifting");
    scene.tick(20, 0, { stable: { available: true, digest: "old" } });
    expect(scene.state.phase).toBe("shifting");
    expect(scene.tick(20).state.phase).toBe("rolling_back");
  });

  it("is not waited out: a rollback that cannot drain is over after its limit", () => {
    const scene = new Scene().until("shifting").tick(1, 0, { verdict: ROLL_BACK, drained: false });
    scene.tick(30).tick(29);
    expect(scene.state.phase).toBe("rolling_back");
    expect(scene.tick(1).state.phase).toBe("rolled_back");
  });
});

describe("another version", () => {
  it("of the candidate ends the rollout", () => {
    const scene = new Scene({ onBreach: "pause" }).until("shifting");
    scene.tick(1, 0, { candidate: { available: true, digest: "newer" } });
    expect(scene.state.phase).toBe("rolling_back");
    expect(scene.state.log.at(-1)!.reason).toBe("green runs another version now (newer)");
  });

  it("of the stable color pauses it, and the one who resumes takes that for the stable one", () => {
    const scene = new Scene().until("shifting").tick(1, 0, { stable: { available: true, digest: "other" } });
    expect(scene.state.paused).toMatchObject({ by: "stable_changed" });
    scene.do("resume");
    expect(scene.tick().state).toMatchObject({ paused: null, stable: { digest: "other" } });
  });
});
