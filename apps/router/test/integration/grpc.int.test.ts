import { afterEach, beforeEach, expect, it } from "vitest";
import { Child, endChildren } from "../support/child.ts";
import { type InferenceAnswer, inferenceClient } from "../support/inference.ts";
import { type RunningRouter, removeFolder, startRouter, untilAnswers } from "../support/running-router.ts";
import { endRouter, upgrade } from "../support/upgrading.ts";
import { refusedPort } from "../support/upstream.ts";
import { endWorkers, isAlive, until } from "../support/workers.ts";

const VERSIONS = { blue: "1.0.0", green: "1.0.1" } as const;

let router: RunningRouter;
let targets: Record<keyof typeof VERSIONS, string>;

beforeEach(async () => {
  const start = async (color: keyof typeof VERSIONS) => {
    const port = String(await refusedPort());
    const model = `artifacts/${VERSIONS[color]}/model.json`;
    const args = ["--port", port, "--color", color, "--model", model];
    const child = Child.node("apps/model-api/src/main.ts", args);
    await untilAnswers(`http://127.0.0.1:${port}/health/ready`, child);
    return `http://127.0.0.1:${port}`;
  };
  targets = { blue: await start("blue"), green: await start("green") };
});
afterEach(async () => {
  await endRouter(router);
  await endChildren();
  endWorkers(router);
  removeFolder(router.folder);
});

async function begin(more: Record<string, unknown>): Promise<string> {
  const colors = {
    blue: { weight: 3, targets: [targets.blue] },
    green: { weight: 1, targets: [targets.green] },
  };
  router = await startRouter({ colors, split: "exact", ...more });
  await until(async () => (await fetch(`${router.admin}/readyz`)).ok);
  return router.url.slice("http://".length);
}

it("predicts by gRPC with both versions of the model, by weight, on one connection", async () => {
  const address = await begin({});
  const client = inferenceClient(address);
  const seen: InferenceAnswer[] = [];
  for (let i = 0; i < 40; i++) seen.push(await client.infer());
  client.close();
  expect(seen.filter(({ code }) => code !== 0)).toEqual([]);
  for (const color of ["blue", "green"] as const) {
    const own = seen.filter((answer) => answer.color === color);
    expect(own.length).toBe(color === "blue" ? 30 : 10);
    expect(new Set(own.map(({ modelVersion }) => modelVersion))).toEqual(new Set([VERSIONS[color]]));
    expect(own[0]!.values[0]).toBeGreaterThan(2);
  }
  const metrics = await (await fetch(`${router.admin}/metrics`)).text();
  expect(metrics).toContain('sluice_grpc_requests_total{color="blue",code="OK"} 30');
  expect(metrics).toContain('sluice_grpc_requests_total{color="green",code="OK"} 10');
});

for (const engine of ["wire", "http-proxy"]) {
  for (const workers of [1, 2]) {
    it(`loses no gRPC call in an upgrade under load, with ${engine} and workers: ${workers}`, async () => {
      const address = await begin({ engine, workers });
      const clients = Array.from({ length: 4 }, () => inferenceClient(address));
      let running = true;
      let answered = 0;
      const lost: InferenceAnswer[] = [];
      const callers = clients.flatMap((client) =>
        Array.from({ length: 4 }, async () => {
          while (running) {
            const answer = await client.infer();
            if (answer.code !== 0) lost.push(answer);
            answered++;
          }
        }),
      );
      await until(async () => answered > 200);
      const { status, from, to } = await upgrade(router);
      expect([status, from.pid === to.pid]).toEqual([200, false]);
      await until(async () => !isAlive(from.pid));
      const after = answered;
      await until(async () => answered > after + 200);
      running = false;
      await Promise.all(callers);
      for (const client of clients) client.close();
      expect(lost).toEqual([]);
      expect(await router.child.exited()).toBe(0);
    });
  }
}
