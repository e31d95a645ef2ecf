import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Child, endChildren } from "../support/child.ts";
import { Load } from "../support/load.ts";
import {
  post,
  type RunningRouter,
  removeFolder,
  restartRouter,
  startRouter,
  untilHealth,
} from "../support/running-router.ts";
import { refusedPort } from "../support/upstream.ts";
import { backwards, counters, endWorkers, isAlive, until, workersOf } from "../support/workers.ts";

const RATE = 300;
let ports: { blue: number; green: number };
let router: RunningRouter;

beforeEach(async () => {
  ports = { blue: await refusedPort(), green: await refusedPort() };
  for (const color of ["blue", "green"] as const) {
    const args = [String(ports[color]), color, "5"];
    await Child.node("apps/router/test/support/fake-model.ts", args).printed(/listening/);
  }
  router = await startRouter({
    workers: 2,
    colors: {
      blue: { weight: 50, targets: [`http://127.0.0.1:${ports.blue}`] },
      green: { weight: 50, targets: [`http://127.0.0.1:${ports.green}`] },
    },
  });
  await ready();
});
afterEach(async () => {
  await endChildren();
  endWorkers(router);
  removeFolder(router.folder);
});

async function ready(): Promise<void> {
  await untilHealth(router, "blue", "up");
  await untilHealth(router, "green", "up");
  await until(async () => (await fetch(`${router.admin}/readyz`)).ok);
}

const pidsNow = () => workersOf(router).map(({ pid }) => pid);

function editConfig(from: RegExp, to: string): void {
  writeFileSync(router.configPath, readFileSync(router.configPath, "utf8").replace(from, to));
}

it("serves on while its control plane is dead, and obeys the next one, losing nothing", async () => {
  const load = new Load({ url: router.url, rate: RATE });
  await load.seconds(1);
  const pids = pidsNow();
  const before = await counters(router);
  await router.child.kill("SIGKILL");
  await load.seconds(2);
  router = await restartRouter(router);
  let seen = before;
  const look = async () => {
    const now = await counters(router);
    const workersOwn = new Map([...seen].filter(([name]) => !name.startsWith("sluice_weight_changes")));
    expect(backwards(workersOwn, now)).toEqual([]);
    seen = now;
  };
  await look();
  await ready();
  expect(pidsNow()).toEqual(pids);
  await look();
  const flipped = await post(router, "/admin/weights", { blue: 0, green: 100 });
  expect(flipped.status).toBe(200);
  expect(flipped.body).not.toHaveProperty("acknowledged");
  const blue = 'sluice_assigned_total{color="blue"}';
  await look();
  const assigned = seen.get(blue);
  await load.seconds(1);
  await look();
  expect(seen.get(blue)).toBe(assigned);
  const { lost } = await load.stop();
  expect(lost).toEqual([]);
  expect(await router.child.kill("SIGTERM")).toBe(0);
  await until(() => !pids.some(isAlive)); // they are not its children, so it cannot wait for their last moment
});

it("leaves no worker whose socket's file is gone: nobody could take it over, and its port would stay taken", async () => {
  const pids = pidsNow();
  await router.child.kill("SIGKILL");
  expect((await fetch(router.url)).status).toBe(200);
  rmSync(join(router.folder, "state"), { recursive: true });
  await until(() => !pids.some(isAlive));
  expect(router.child.output).toMatch(/socket is gone, so no router can take it over/);
  router = await restartRouter(router);
  await ready();
  expect(pidsNow()).toHaveLength(2);
});

it("replaces a worker that it has adopted, through one that holds the socket", async () => {
  await router.child.kill("SIGKILL");
  router = await restartRouter(router);
  await ready();
  const [first] = workersOf(router);
  process.kill(first!.pid, "SIGKILL");
  await until(
    () =>
      workersOf(router)
        .map(({ id }) => id)
        .join() === "2,3",
  );
  await router.child.printed(/A worker serves/);
  const changed = await post(router, "/admin/flip", { to: "green" });
  expect(changed.body).not.toHaveProperty("acknowledged");
  const pids = pidsNow();
  expect(await router.child.kill("SIGTERM")).toBe(0);
  await until(() => !pids.some(isAlive));
});

it("replaces workers that serve by another engine or are too many, losing nothing", async () => {
  const load = new Load({ url: router.url, rate: RATE });
  const old = pidsNow();
  await load.seconds(0.5);
  await router.child.kill("SIGKILL");
  editConfig(/^workers: 2$/m, "workers: 1\nengine: http-proxy");
  router = await restartRouter(router);
  await ready();
  await until(() => old.every((pid) => !isAlive(pid)));
  await load.seconds(0.5);
  expect((await load.stop()).lost).toEqual([]);
  expect(workersOf(router).map(({ id }) => id)).toEqual([3]);
  await router.child.kill("SIGTERM");
  expect(workersOf(router)).toEqual([]);
});

it("leaves them serving when the next router cannot start", async () => {
  await router.child.kill("SIGKILL");
  const whole = readFileSync(router.configPath, "utf8");
  editConfig(/^admin:\n {2}listen: .*$/m, `admin:\n  listen: 127.0.0.1:${ports.blue}`);
  const failing = Child.node("apps/router/bin/sluice.js", ["serve", "--config", router.configPath]);
  expect(await failing.exited()).toBe(1);
  expect(failing.output).toMatch(/admin\.listen: .* is in use/);
  expect((await fetch(router.url)).status).toBe(200);
  writeFileSync(router.configPath, whole);
  router = await restartRouter(router);
  await ready();
  expect((await fetch(router.url)).status).toBe(200);
});

it("ends an orphan that is stopped, and one more start finds the rest", async () => {
  await router.child.kill("SIGKILL");
  const [first, second] = workersOf(router);
  process.kill(first!.pid, "SIGSTOP");
  router = await restartRouter(router);
  await ready();
  await until(() => !isAlive(first!.pid));
  await until(() => workersOf(router).length === 2);
  expect(workersOf(router).map(({ id }) => id)).toEqual([second!.id, 3]);
});

it("obeys a SIGTERM that comes while it takes them over, and leaves nothing behind", async () => {
  const pids = pidsNow();
  await router.child.kill("SIGKILL");
  const next = Child.node("apps/router/bin/sluice.js", ["serve", "--config", router.configPath]);
  await next.printed(/Found workers/);
  next.signal("SIGTERM");
  expect(await next.exited()).toBe(0);
  await until(() => !pids.some(isAlive));
});
