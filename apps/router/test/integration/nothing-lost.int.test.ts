import { afterEach, beforeEach, expect, it } from "vitest";
import { Child, endChildren } from "../support/child.ts";
import { Load, type LoadResult, quantile } from "../support/load.ts";
import {
  post,
  type RunningRouter,
  removeFolder,
  startRouter,
  untilAnswers,
  untilHealth,
} from "../support/running-router.ts";
import { refusedPort } from "../support/upstream.ts";

const RATE = 400;
const PREDICT = "/api/predict/";
const TRIP = {
  pickup_latitude: 40.75,
  pickup_longitude: -73.99,
  dropoff_latitude: 40.76,
  dropoff_longitude: -73.97,
  passenger_count: 1,
};

/** Every other request is a GET, the rest POSTs to a path that is declared repeatable. */
const kind = (i: number) =>
  i % 2 === 0
    ? { method: "GET", path: "/" }
    : { method: "POST", path: PREDICT, body: JSON.stringify({ data: [TRIP] }) };

let ports: { blue: number; green: number };
let router: RunningRouter;

beforeEach(async () => {
  ports = { blue: await refusedPort(), green: await refusedPort() };
});
afterEach(async () => {
  await endChildren();
  removeFolder(router.folder);
});

async function begin(
  weights: { blue: number; green: number },
  more: Record<string, unknown> = {},
): Promise<void> {
  router = await startRouter({
    ...more,
    colors: {
      blue: { weight: weights.blue, targets: [`http://127.0.0.1:${ports.blue}`] },
      green: { weight: weights.green, targets: [`http://127.0.0.1:${ports.green}`] },
    },
    health: { interval: "500ms" },
    retry: { idempotent_paths: [PREDICT] },
  });
  await untilHealth(router, "blue", "up");
  await untilHealth(router, "green", "up");
}

/** The real model API with the trained artifact of the color. */
async function model(color: "blue" | "green"): Promise<Child> {
  const artifact = color === "blue" ? "artifacts/1.0.0/model.json" : "artifacts/1.0.1/model.json";
  const args = ["--port", String(ports[color]), "--color", color, "--model", artifact];
  const child = Child.node("apps/model-api/src/main.ts", args);
  await untilAnswers(`http://127.0.0.1:${ports[color]}/health/ready`, child);
  return child;
}

async function fake(color: "blue" | "green", milliseconds: number): Promise<Child> {
  const child = Child.node("apps/router/test/support/fake-model.ts", [
    String(ports[color]),
    color,
    String(milliseconds),
  ]);
  await child.printed(/listening/);
  return child;
}

function expectNothingLost(result: LoadResult): void {
  expect(result.lost.slice(0, 10), `${result.lost.length} of ${result.sent} were lost`).toEqual([]);
}

it("loses nothing when green is killed with SIGKILL and comes back", async () => {
  await model("blue");
  const green = await model("green");
  await begin({ blue: 50, green: 50 });
  const load = new Load({ url: router.url, rate: RATE, kind });
  await load.seconds(2);
  await green.kill("SIGKILL");
  await load.seconds(3);
  await model("green");
  await untilHealth(router, "green", "up");
  await load.seconds(2);
  const result = await load.stop();
  expectNothingLost(result);
  expect(result.byColor.green).toBeGreaterThan(RATE / 2);
});

it("loses nothing when both are restarted in turn with SIGTERM", async () => {
  const first = { blue: await model("blue"), green: await model("green") };
  await begin({ blue: 50, green: 50 });
  const load = new Load({ url: router.url, rate: RATE, kind });
  await load.seconds(1);
  for (const color of ["blue", "green"] as const) {
    expect(await first[color].kill("SIGTERM")).toBe(0);
    await model(color);
    await untilHealth(router, color, "up");
    await load.seconds(1);
  }
  expectNothingLost(await load.stop());
});

it("loses nothing through 20 flips in 6 seconds", async () => {
  await model("blue");
  await model("green");
  await begin({ blue: 100, green: 0 });
  const load = new Load({ url: router.url, rate: RATE, kind });
  await load.seconds(0.5);
  for (let i = 0; i < 20; i++) {
    const flipped = await post(router, "/admin/flip", { to: i % 2 === 0 ? "green" : "blue" });
    expect(flipped.status).toBe(200);
    await load.seconds(0.3);
  }
  const result = await load.stop();
  expectNothingLost(result);
  expect(Math.abs(result.byColor.blue! - result.byColor.green!)).toBeLessThan(result.sent * 0.2);
});

for (const [how, more, bound] of [
  ["by the rule for suspects", {}, 300],
  ["by hedging, too", { hedge: { after: "p95", max: 0.1 } }, 200],
] as const) {
  it(`answers in time while green is frozen for 5 s, ${how}`, async () => {
    await fake("blue", 5);
    const green = await fake("green", 5);
    await begin({ blue: 50, green: 50 }, more);
    const load = new Load({ url: router.url, rate: RATE, kind });
    await load.seconds(3);
    green.signal("SIGSTOP");
    await load.seconds(5);
    green.signal("SIGCONT");
    await load.seconds(3);
    const result = await load.stop();
    expectNothingLost(result);
    expect(quantile(result.latencies, 0.99)).toBeLessThan(bound);
    expect(result.byColor.green).toBeGreaterThan(RATE);
  });
}
