import { describe, expect, it } from "vitest";
import { afterGap } from "./change.ts";
import { isDone } from "./state.ts";
import { kinds, PROMOTE, Scene } from "./test-kit.ts";

describe("gates and commands", () => {
  it("wait for approval before their step, at the weight before", () => {
    const scene = new Scene({ gates: [25, 100] }).until("awaiting_approval");
    expect(scene.tick(600, 1000).state).toMatchObject({ phase: "awaiting_approval", share: 5 });
    expect(scene.do("approve")).toBeUndefined();
    expect(scene.tick().state).toMatchObject({ phase: "shifting", share: 25, approved: false });
    scene.until("awaiting_approval", { verdict: PROMOTE });
    expect(scene.state.share).toBe(50);
    scene.do("approve");
    scene.until("promoted");
  });

  it("refuse what makes no sense, with a sentence, and change nothing", () => {
    const scene = new Scene().until("shifting");
    const before = scene.state;
    expect(scene.do("approve")).toBe('It is shifting; nothing waits for approval. "full" skips every wait.');
    expect(scene.do("resume")).toBe("It is not paused.");
    expect(scene.state).toBe(before);
    scene.do("pause");
    expect(scene.do("promote")).toBe("It is paused; resume it first.");
    scene.do("abort");
    for (const kind of ["pause", "resume", "approve", "promote"] as const) {
      expect(scene.do(kind)).toBe("It is aborted, and over.");
    }
  });

  it("pause stops time and resume goes on", () => {
    const scene = new Scene().until("shifting").tick(1).tick(30, 100);
    scene.do("pause");
    for (let i = 0; i < 20; i++) scene.tick(30, 100);
    expect(scene.state.step).toBe(0);
    scene.do("resume");
    expect(scene.tick(29).state.step).toBe(0);
    expect(scene.tick(1).state.step).toBe(1);
  });

  it.each(["pause", "rollback"] as const)("pause uses up no time that ends in a %s", (onTimeout) => {
    const scene = new Scene({ maxDuration: 1_000_000, onTimeout }).until("shifting").tick(1);
    scene.do("pause");
    scene.tick(2_000_000).tick(1);
    scene.state = afterGap(scene.state, scene.at + 2_000_000_000, false);
    scene.at = scene.state.times.last;
    scene.do("resume");
    expect(scene.tick(1).state).toMatchObject({ phase: "shifting", paused: null });
    expect(scene.tick(2_000_000).state).not.toMatchObject({ phase: "shifting", paused: null });
  });

  it("promote skips waits and gates, not promotion's guards", () => {
    const scene = new Scene({ gates: [25] }).until("shifting").tick(1);
    scene.do("promote");
    expect(scene.tick().tick().state).toMatchObject({ phase: "shifting", share: 5 });
    expect(scene.tick(1, 0, { verdict: PROMOTE }).tick().tick().state).toMatchObject({
      phase: "baking",
      share: 100,
    });
    scene.do("promote");
    expect(scene.tick().state.phase).toBe("promoted");
  });

  it("promote by force is written down", () => {
    const scene = new Scene().until("shifting").tick(1);
    scene.say({ kind: "promote", by: "ann", reason: "hotfix", force: true });
    scene.tick().tick().tick();
    expect(scene.state).toMatchObject({ phase: "baking", share: 100 });
    expect(
      scene.state.log.filter(({ event }) => event === "promote").map(({ reason, by }) => [reason, by]),
    ).toEqual([
      ["hotfix: without promotion's guards", "ann"],
      ["forced by hand", "sluice"],
    ]);
  });

  it("abort gives weights back that somebody moved before the first step", () => {
    const scene = new Scene().tick(1, 0, { gates: "waiting" });
    scene.obeys = false;
    scene.tick(1, 0, { share: 70 });
    scene.do("abort");
    expect(scene.effects).toContainEqual({ kind: "weights", candidate: 0, stable: 100 });
    expect(kinds(scene.tick().effects)).toEqual(["weights"]);
  });

  it("a rollback is not over before weights that somebody moved are back", () => {
    const scene = new Scene().tick(1, 0, { gates: "waiting" });
    scene.obeys = false;
    scene.tick(1, 0, { share: 70, gates: { failed: "no golden rows" } }).tick();
    expect([scene.state.phase, kinds(scene.effects)]).toEqual(["rolling_back", ["weights"]]);
    expect(scene.tick(1, 0, { share: 0 }).state.phase).toBe("rolled_back");
  });

  it("abort leaves the weights to the command that aborts", () => {
    const scene = new Scene().until("shifting").tick(1);
    scene.say({ kind: "abort", by: "ann", shareSet: 70 });
    expect(kinds(scene.effects)).toEqual(["record"]);
    expect(scene.state.log.at(-1)).toMatchObject({ event: "abort", share: 70 });
    expect(kinds(scene.tick(1, 0, { share: 70 }).effects)).toEqual([]);
  });

  it("abort wins over a promotion that is over, and is asked for again until it is in force", () => {
    const scene = new Scene().until("promoted", { verdict: PROMOTE });
    scene.obeys = false;
    scene.do("abort");
    expect(scene.state).toMatchObject({ phase: "aborted", share: 0 });
    for (let i = 0; i < 3; i++) expect(kinds(scene.restart().tick().effects)).toEqual(["weights"]);
    expect(isDone(scene.state)).toBe(false);
    expect(scene.tick(1, 0, { share: 0 }).effects).toEqual([]);
    expect(isDone(scene.state)).toBe(true);
    const before = scene.state;
    expect(scene.do("abort")).toBeUndefined();
    expect(scene.state).toMatchObject({ ...before, times: expect.anything() });
    expect(scene.effects).toEqual([]);
  });
});
