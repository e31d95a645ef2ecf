import { afterEach, expect, it } from "vitest";
import { Child, endChildren } from "../support/child.ts";
import {
  post,
  type RunningRouter,
  removeFolder,
  restartRouter,
  startRouter,
  untilAnswers,
  untilHealth,
} from "../support/running-router.ts";
import { untilPasses } from "../support/until-passes.ts";
import { refusedPort } from "../support/upstream.ts";

const PREDICT = "/api/predict/";
const FIELD = "/data/0/passenger_count";
let router: RunningRouter;

afterEach(async () => {
  await endChildren();
  removeFolder(router.folder);
});

/** The real model API with a trained artifact. */
async function model(color: string, version: string): Promise<string> {
  const port = await refusedPort();
  const artifact = `artifacts/${version}/model.json`;
  const args = ["--port", String(port), "--color", color, "--model", artifact];
  const child = Child.node("apps/model-api/src/main.ts", args);
  await untilAnswers(`http://127.0.0.1:${port}/health/ready`, child);
  return `http://127.0.0.1:${port}`;
}

async function begin(green: string, more: Record<string, unknown> = {}): Promise<void> {
  const [main, shadow] = await Promise.all([model("blue", "1.0.0"), model("green", green)]);
  router = await startRouter({
    colors: { blue: { weight: 100, targets: [main] }, green: { weight: 0, targets: [shadow] } },
    health: { interval: "500ms" },
    retry: { idempotent_paths: [PREDICT, "/v2/models/*/infer"] },
    predictions: { at: "/predictions/*/fare_amount", range: [0, 10_000] },
    shadow: { rate: 100_000, queue: 10_000, slices: [{ field: FIELD, buckets: [1, 2, 4] }], bodies: true },
    ...more,
  });
  await untilHealth(router, "blue", "up");
  await untilHealth(router, "green", "up");
}

/** Trips over Manhattan, the same in every run. */
function trip(i: number) {
  const along = (step: number) => ((i * step) % 97) / 97;
  return {
    pickup_latitude: 40.7 + 0.09 * along(31),
    pickup_longitude: -74.01 + 0.06 * along(17),
    dropoff_latitude: 40.7 + 0.09 * along(53),
    dropoff_longitude: -74.01 + 0.06 * along(71),
    passenger_count: 1 + (i % 5),
  };
}

async function predict(i: number): Promise<string> {
  const answer = await fetch(`${router.url}${PREDICT}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Request-Id": `trip-${i}` },
    body: JSON.stringify({ data: [trip(i)] }),
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("x-sluice-color")).toBe("blue");
  return answer.text();
}

async function predictAll(from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 10) {
    await Promise.all(Array.from({ length: Math.min(10, to - at) }, (_, i) => predict(at + i)));
  }
}

// biome-ignore lint/suspicious/noExplicitAny: tests read what they expect to be there
const status = async (): Promise<any> => (await fetch(`${router.admin}/admin/shadow`)).json();

async function sluice(...args: string[]): Promise<{ code: number | null; out: string }> {
  const child = Child.node("apps/router/bin/sluice.js", [...args, "--admin", router.admin]);
  const code = await child.exited();
  await child.closed();
  return { code, out: child.output };
}

it("a copy of the stable model is certified, and everybody gets the stable model's answers", async () => {
  await begin("1.0.0");
  const direct = await predict(0);
  const started = await sluice("shadow", "start", "green", "--reason", "the same model again");
  expect(started.code, started.out).toBe(0);
  expect(started.out).toContain(
    "green (1.0.0) gets copies of 100 % of the requests that blue (1.0.0) answers",
  );
  expect(await predict(0)).toBe(direct);
  await predictAll(1, 370);
  await untilPasses(async () => expect((await status()).pairs.pairs).toBe(370));
  const { pairs, certificate, slices, shadow } = await status();
  expect(pairs).toMatchObject({ agree: 370, disagree: 0, broken: 0, largest: 0 });
  expect(shadow.versions.main.digest).toBe(shadow.versions.shadow.digest);
  expect(certificate).toMatchObject({
    passed: true,
    sentence: "0 of 370 pairs disagree: fewer than 1 % disagree, at 95 %",
  });
  expect(Object.keys(slices[FIELD]).sort()).toEqual(["> 4", "≤ 1", "≤ 2", "≤ 4"]);
  const { out } = await sluice("shadow", "worst");
  expect(out.trim()).toBe("no pairs that differ");
  expect((await sluice("shadow", "stop")).out).toContain("no shadow runs");
});

it("a better model differs: the worst pairs are named with their requests, over two workers", async () => {
  await begin("1.0.1", { workers: 2 });
  await post(router, "/admin/shadow", { color: "green" });
  await untilPasses(async () => expect((await status()).shadow.color).toBe("green"));
  await predictAll(0, 200);
  await untilPasses(async () => expect((await status()).pairs.pairs).toBe(200));
  const { pairs, certificate, copies, shadow } = await status();
  expect(copies).toEqual({ answered: 200 });
  expect(shadow.versions.main.version).toBe("1.0.0");
  expect(shadow.versions.shadow.version).toBe("1.0.1");
  expect(pairs.disagree).toBeGreaterThan(0);
  expect(pairs.broken).toBe(0);
  expect(pairs.largest).toBeGreaterThanOrEqual(pairs.p95);
  expect(certificate.passed).toBe(false);
  const { worst } = JSON.parse((await sluice("shadow", "worst", "--json")).out);
  expect(worst).toHaveLength(20);
  expect(Math.abs(worst[0].difference)).toBeCloseTo(pairs.largest, 9);
  const number = Number(worst[0].request_id.replace("trip-", ""));
  expect(JSON.parse(worst[0].body)).toEqual({ data: [trip(number)] });
  const { out } = await sluice("shadow", "status");
  expect(out).toMatch(/copies: 200 answered/);
  expect(out).toMatch(/^all +200 /m);
  const metrics = await (await fetch(`${router.admin}/metrics`)).text();
  expect(metrics).toContain('sluice_shadow_requests_total{color="green",outcome="answered"} 200');
  expect(metrics).toMatch(/sluice_requests_total\{color="green",method="POST",code="200"\} 0\n/);
});

it("the Open Inference Protocol's answers are compared, too", async () => {
  await begin("1.0.1");
  await post(router, "/admin/shadow", { color: "green" });
  const names = ["pickup_latitude", "pickup_longitude", "dropoff_latitude", "dropoff_longitude"] as const;
  const { passenger_count, ...place } = trip(3);
  const inputs = [
    ...names.map((name) => ({ name, shape: [1], datatype: "FP64", data: [place[name]] })),
    { name: "passenger_count", shape: [1], datatype: "INT64", data: [passenger_count] },
  ];
  const answer = await fetch(`${router.url}/v2/models/taxi-fare/infer`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs }),
  });
  expect(answer.status, await answer.clone().text()).toBe(200);
  await answer.text();
  await untilPasses(async () => expect((await status()).pairs).toMatchObject({ pairs: 1, broken: 0 }));
});

it("a shadow and what was found outlive the router", async () => {
  await begin("1.0.0");
  await post(router, "/admin/shadow", { color: "green", percent: 50 });
  await post(router, "/admin/shadow", { color: "green", percent: 100 });
  await predictAll(0, 50);
  await untilPasses(async () => expect((await status()).pairs.pairs).toBe(50));
  await router.child.kill("SIGTERM");
  router = await restartRouter(router);
  await untilHealth(router, "green", "up");
  const { shadow, pairs } = await status();
  expect(shadow).toMatchObject({ color: "green", against: "blue", percent: 100 });
  expect(pairs.pairs).toBe(50);
  await untilHealth(router, "blue", "up");
  await predictAll(50, 60);
  await untilPasses(async () => expect((await status()).pairs.pairs).toBe(60));
});
