import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { endChildren } from "../support/child.ts";
import { RolloutScene, Traffic } from "../support/rollouts.ts";
import { removeFolder, restartRouter } from "../support/running-router.ts";
import { endRouter, upgrade } from "../support/upgrading.ts";
import { counters, endWorkers, workersOf } from "../support/workers.ts";

beforeAll(() => {
  process.env.SLUICE_TEST_SEED = "7";
});

let scene: RolloutScene;
let traffic: Traffic | undefined;
afterEach(async () => {
  await traffic?.stop();
  traffic = undefined;
  await endChildren();
  if (scene === undefined) return; // it could not be opened
  endWorkers(scene.router);
  removeFolder(scene.router.folder);
});

const over = ({ over: isOver }: { over: boolean }) => isOver;

describe.each([
  ["one process, engine wire", {}],
  ["two workers, engine wire", { workers: 2 }],
  ["one process, engine http-proxy", { engine: "http-proxy" }],
])("with %s, a rollout", (_, config) => {
  it("promotes a candidate that is as good, with nobody's request lost", async () => {
    scene = await RolloutScene.open([], config);
    traffic = new Traffic(scene.router.url);
    expect(await scene.start()).toMatchObject({ status: 200 });
    const record = await scene.until(over);
    expect(record.phase).toBe("promoted");
    expect(record.weights.map(({ candidate }: { candidate: number }) => candidate)).toEqual([0, 25, 50, 100]);
    expect((await scene.state()).weights).toEqual({ blue: 0, green: 100 });
    const promoted = record.log.find(({ event }: { event: string }) => event === "promote");
    expect(promoted.reason).toMatch(/^few errors below 1 %: candidate 0 of [\d,]+, .*≥ 20: promote$/);
    expect(record.steps.map(({ share }: { share: number }) => share)).toEqual([25, 50, 100]);
    expect(record.steps[1].latency.candidate.requests).toBeGreaterThan(50);
    expect(Object.keys(await traffic.stop())).toEqual(["200"]);
  }, 120_000);

  it("rolls a candidate back that fails 3 % of requests", async () => {
    scene = await RolloutScene.open(["--fails", "0.03"], config);
    traffic = new Traffic(scene.router.url);
    // so that it cannot be promoted before it is caught
    await scene.start({ step_requests: 5000, bake: "10m" });
    const record = await scene.until(over);
    expect(record.phase).toBe("rolled_back");
    const decision = record.log.find(({ event }: { event: string }) => event === "rollback");
    expect(decision.reason).toMatch(
      /^errors: candidate \d+ of [\d,]+, stable 0 of [\d,]+; evidence [\d,.^]+ ≥ 200: roll/,
    );
    expect((await scene.state()).weights).toEqual({ blue: 100, green: 0 });
    const path = join(scene.router.folder, "state", "releases", `${record.id}.json`);
    await vi.waitFor(() => expect(existsSync(path)).toBe(true), 30_000); // the answer does not wait for the disk
    const kept = JSON.parse(readFileSync(path, "utf8"));
    expect(kept).toMatchObject({ id: record.id, phase: "rolled_back", verdict: { guard: "errors" } });
  }, 120_000);
});

describe.each([
  ["one process", {}],
  ["two workers", { workers: 2 }],
])("a router of %s that is killed", (_, config) => {
  it.each([
    ["shifting", {}],
    ["paused", {}],
    ["awaiting_approval", { gates: [50] }],
    ["promoting", { hooks: { before_promotion: "lasting" } }],
    ["baking", { bake: "10m" }],
  ])(
    "while it is %s goes on there with its evidence",
    async (phase, plan) => {
      const lasting = { command: [process.execPath, "-e", "setInterval(() => {}, 1000)"], timeout: "100s" };
      scene = await RolloutScene.open([], { ...config, hooks: { lasting } });
      traffic = new Traffic(scene.router.url, 2);
      await scene.start(phase === "shifting" ? { step_requests: 1_000_000 } : plan);
      if (phase === "paused") {
        await scene.until(({ share }) => share === 25);
        await scene.say("pause");
      }
      const reached = (now: Counted & { phase: string; paused: object | null; share: number }) =>
        (phase === "paused" ? now.paused !== null : now.phase === phase && now.share > 0) &&
        counted(now).candidate > 50;
      await scene.until(reached);
      const saved = await untilSaved(scene, phase);
      const before = workersOf(scene.router).map(({ pid }) => pid);
      await scene.router.child.kill();
      scene.router = await restartRouter(scene.router);
      const after = await scene.current();
      expect(after).toMatchObject({ id: saved.id, phase: phase === "paused" ? "shifting" : phase });
      expect(after.paused === null).toBe(phase !== "paused");
      expect(counted(after).candidate).toBeGreaterThanOrEqual(saved.candidate);
      // no request is booked twice: with workers that have lived on the evidence is no more than was assigned
      const grown = await scene.until((now) => counted(now).candidate > counted(after).candidate + 20);
      expect(workersOf(scene.router).map(({ pid }) => pid)).toEqual(before);
      const assigned = (await counters(scene.router)).get('sluice_assigned_total{color="green"}')!;
      if (before.length > 0) expect(counted(grown).candidate).toBeLessThanOrEqual(assigned);
      await scene.say("abort");
      expect((await scene.until(over)).phase).toBe("aborted");
      expect((await scene.state()).weights).toEqual({ blue: 100, green: 0 });
    },
    120_000,
  );

  it("right after an abort stays aborted", async () => {
    scene = await RolloutScene.open([], config);
    traffic = new Traffic(scene.router.url, 2);
    await scene.start({ step_requests: 1_000_000 });
    await scene.until(({ share, phase }) => share === 25 && phase === "shifting");
    expect((await scene.say("abort", { reason: "a bad feeling" })).body.phase).toBe("aborted");
    await scene.router.child.kill();
    scene.router = await restartRouter(scene.router);
    expect((await scene.until(over)).phase).toBe("aborted");
    expect((await scene.state()).weights).toEqual({ blue: 100, green: 0 });
  }, 120_000);
});

it.each([
  ["one process", {}],
  ["two workers", { workers: 2 }],
])(
  "an upgrade of %s carries it on, and counts no request twice",
  async (_, config) => {
    scene = await RolloutScene.open([], config);
    traffic = new Traffic(scene.router.url, 2);
    await scene.start({ step_requests: 1_000_000 });
    const before = await scene.until((now) => counted(now).candidate > 50);
    expect(await upgrade(scene.router)).toMatchObject({ status: 200 });
    const after = await scene.until((now) => counted(now).candidate > counted(before).candidate + 50);
    expect(after).toMatchObject({ id: before.id, phase: "shifting", share: 25 });
    const assigned = (await counters(scene.router)).get('sluice_assigned_total{color="green"}')!;
    expect(counted(after).candidate).toBeLessThanOrEqual(assigned);
    expect((await scene.say("abort")).body.phase).toBe("aborted");
    expect(Object.keys(await traffic.stop())).toEqual(["200"]);
    await endRouter(scene.router);
  },
  120_000,
);

describe("a candidate that restarts", () => {
  it("as another version ends the rollout", async () => {
    scene = await RolloutScene.open();
    traffic = new Traffic(scene.router.url, 2);
    await scene.start({ step_requests: 1_000_000 });
    await scene.until(({ share, phase }) => share === 25 && phase === "shifting");
    await traffic.stop(); // or the gap would be judged first
    await scene.replaceCandidate("1.0.2");
    const record = await scene.until(over);
    expect(record.phase).toBe("rolled_back");
    const decision = record.log.find(({ event }: { event: string }) => event === "rollback");
    expect(decision.reason).toContain("green runs another version now");
  }, 120_000);
});

interface Counted {
  readonly own: {
    readonly tallies: Record<string, { strata: { rho: number; candidate: { requests: number } }[] }>;
  };
}

/** First attempts of the candidate in this rollout. */
function counted({ own }: Counted): { candidate: number } {
  const strata = own.tallies.errors?.strata ?? [];
  return { candidate: strata.reduce((sum, { candidate }) => sum + candidate.requests, 0) };
}

/** Waits until the phase and its evidence are on the disk; what it has is the least that a killed router goes on with. */
async function untilSaved(
  { router }: RolloutScene,
  phase: string,
): Promise<{ id: string; candidate: number }> {
  for (;;) {
    const [, body = "{}"] = readFileSync(join(router.folder, "state", "rollouts.json"), "utf8").split("\n");
    const { current, ledger } = JSON.parse(body);
    const own = counted({ own: ledger.own.evidence });
    const inPhase = phase === "paused" ? current.state.paused !== null : current.state.phase === phase;
    if (inPhase && own.candidate >= 50) return { id: current.state.id, ...own };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
