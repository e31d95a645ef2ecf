import { describe, expect, it } from "vitest";
import { makePlan } from "./plan.ts";
import { startRollout } from "./start.ts";
import { isDone } from "./state.ts";
import { HOLD, judgement, kinds, PAUSE, PROMOTE, ROLL_BACK, Scene } from "./test-kit.ts";

const events = ({ state }: Scene) => state.log.map(({ event }) => event);

describe("a rollout", () => {
  it("goes through its steps to 100 %, is watched there, and is over", () => {
    const scene = new Scene().until("promoted", { verdict: PROMOTE });
    expect(scene.state).toMatchObject({ share: 100, step: 3 });
    expect(events(scene)).toEqual(["start", "step", "step", "step", "promote", "step", "bake", "promoted"]);
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
    scene.say({ kind: "abort", by: "ann", leaveWeights: true });
    expect(kinds(scene.effects)).toEqual(["record"]);
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
    [{ maxDuration: 100_000 }, "steps and bake alone take 780000 ms"],
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
