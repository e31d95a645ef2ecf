import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { endChildren } from "../support/child.ts";
import { ARTIFACTS } from "../support/deploys.ts";
import { RolloutScene } from "../support/rollouts.ts";
import { post, removeFolder } from "../support/running-router.ts";
import { type Summary, TripTraffic } from "../support/trip-traffic.ts";

const CONFIG = { predictions: { at: "/predictions/*/fare_amount", range: [2, 500] } };
/** Requests a second. */
const RATE = 150;
const PLAN = {
  steps: [25, 50],
  step_min: "500ms",
  step_requests: 1000,
  bake: "1s",
  warm_up: "0s",
};
/** A busy machine is slow, too: the limit that tells 60 ms is for the version that has them. */
const guards = (after: string) => ({ errors: {}, slow: { after }, rejected: {}, answers: {}, shift: {} });
const CHECKS = ["identity", "golden", "schema", "warm_up"];
/** Predictions of the stable color that are known before the guards freeze its quartiles. */
const KNOWN = 1000;

beforeAll(() => {
  process.env.SLUICE_TEST_SEED = "4";
});

let scene: RolloutScene | undefined;
afterEach(async () => {
  await endChildren();
  if (scene !== undefined) removeFolder(scene.router.folder);
  scene = undefined;
});

interface Verdict {
  readonly phase: string;
  readonly weights: readonly { readonly candidate: number }[];
  readonly verdict: { readonly guard?: string; readonly decision: string };
  readonly log: readonly { readonly event: string; readonly reason: string }[];
}

async function release(
  fault: readonly string[],
  plan: object = {},
): Promise<{ record: Verdict; clients: Summary }> {
  scene = await RolloutScene.open(fault, CONFIG);
  const traffic = new TripTraffic(scene.router, RATE);
  await answered(scene, KNOWN);
  expect(await scene.start({ ...PLAN, guards: guards("250ms"), ...plan })).toMatchObject({ status: 200 });
  const record = await scene.until(({ over }) => over);
  return { record, clients: await traffic.end() };
}

/** Waits until blue has given so many answers. */
async function answered({ router }: RolloutScene, count: number): Promise<void> {
  const line = /^sluice_requests_total\{color="blue",method="POST",code="200"\} (\d+)$/m;
  for (;;) {
    const text = await (await fetch(`${router.admin}/metrics`)).text();
    if (Number(line.exec(text)?.[1] ?? 0) >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Every request that was sent was answered, and with one of these. */
function expectNobodyLost({ requests, statuses, errors }: Summary, expected: readonly string[]): void {
  const count = Object.values(statuses).reduce((sum, each) => sum + each, 0);
  expect({ errors, count }).toEqual({ errors: {}, count: requests });
  expect(expected).toEqual(expect.arrayContaining(Object.keys(statuses)));
}

describe("the release of", () => {
  it.each([
    ["fails 3 % of requests", "errors", ["--fails", "0.03"], ["200", "422", "500"]],
    ["is 60 ms slower", "slow", ["--slow", "60"], ["200", "422"]],
    ["answers NaN in one zone", "answers", ["--nan", "40.77"], ["200", "422"]],
    ["has fares that are 20 % too high", "predictions high", ["--scale", "1.2"], ["200", "422"]],
    ["has fares that are 20 % too low", "predictions low", ["--scale", "0.8"], ["200", "422"]],
  ])("a version that %s is rolled back by the guard %s", async (_, guard, fault, statuses) => {
    // golden rows or the warm-up would find most of these before the first request
    const { record, clients } = await release(fault, {
      checks: ["identity"],
      guards: guards(guard === "slow" ? "50ms" : "250ms"),
    });
    const rollback = record.log.find(({ event }) => event === "rollback");
    expect(rollback?.reason).toMatch(new RegExp(`^${guard}.*: candidate .*: roll back$`));
    expect(record).toMatchObject({ phase: "rolled_back", verdict: { guard } });
    expect(record.weights.every(({ candidate }) => candidate < 100)).toBe(true);
    expectNobodyLost(clients, statuses);
  });

  it("a version that answers NaN in one zone ends before its first request, if golden rows are asked", async () => {
    const { record, clients } = await release(["--nan", "40.77"], { checks: CHECKS });
    expect(record.log.find(({ event }) => event === "rollback")?.reason).toMatch(
      /^golden: .*; the artifact says/,
    );
    expect(record.weights.map(({ candidate }) => candidate)).toEqual([0]);
    expectNobodyLost(clients, ["200", "422"]);
  });

  it("a version that is as good as the stable one is promoted", async () => {
    const { record, clients } = await release([], { checks: CHECKS });
    expect(record.phase).toBe("promoted");
    expect(record.weights.map(({ candidate }) => candidate)).toEqual([0, 25, 50, 100]);
    expectNobodyLost(clients, ["200", "422"]);
  });

  it("a better model goes from shadow to all requests, by what trips did cost", async () => {
    scene = await RolloutScene.open([], CONFIG, ARTIFACTS[1]);
    const traffic = new TripTraffic(scene.router, RATE, "--feedback");
    await answered(scene, KNOWN);
    expect(await post(scene.router, "/admin/shadow", { color: "green", percent: 100 })).toMatchObject({
      status: 200,
    });
    await pairs(scene, 500);
    const plan = {
      ...PLAN,
      checks: CHECKS,
      expect: "better",
      guards: { errors: {}, answers: {}, truth: {} },
    };
    expect(await scene.start(plan)).toMatchObject({ status: 200 });
    const record = await scene.until(({ over }) => over);
    expect(record.phase).toBe("promoted");
    const readings = record.guards as { guard: string; reached: boolean }[];
    expect(readings.find(({ guard }) => guard === "not worse on the same trips")).toMatchObject({
      reached: true,
    });
    const clients = await traffic.end();
    expectNobodyLost(clients, ["200", "422"]);
    expect(clients.feedback?.accepted).toBeGreaterThan(KNOWN);
  });
});

/** Waits until so many answers of both colors were compared. */
async function pairs({ router }: RolloutScene, count: number): Promise<void> {
  for (;;) {
    const shadow = (await (await fetch(`${router.admin}/admin/shadow`)).json()) as {
      pairs: { pairs: number };
    };
    if (shadow.pairs.pairs >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
