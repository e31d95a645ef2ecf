import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Child, endChildren } from "../support/child.ts";
import { Load } from "../support/load.ts";
import {
  post,
  type RunningRouter,
  removeFolder,
  startRouter,
  untilHealth,
} from "../support/running-router.ts";
import { refusedPort } from "../support/upstream.ts";
import { backwards, counters, endWorkers, isAlive, until, workersOf } from "../support/workers.ts";

let ports: { blue: number; green: number };
let router: RunningRouter;

beforeEach(async () => {
  ports = { blue: await refusedPort(), green: await refusedPort() };
});
afterEach(async () => {
  await endChildren();
  endWorkers(router);
  removeFolder(router.folder);
});

async function begin(milliseconds = 5, more: Record<string, unknown> = {}): Promise<void> {
  for (const color of ["blue", "green"] as const) {
    const args = [String(ports[color]), color, String(milliseconds)];
    await Child.node("apps/router/test/support/fake-model.ts", args).printed(/listening/);
  }
  router = await startRouter({
    workers: 3,
    colors: {
      blue: { weight: 100, targets: [`http://127.0.0.1:${ports.blue}`] },
      green: { weight: 0, targets: [`http://127.0.0.1:${ports.green}`] },
    },
    ...more,
  });
  await until(async () => (await fetch(`${router.admin}/readyz`)).ok);
}

interface Answer {
  readonly status: number | undefined;
  readonly color: unknown;
}

/** A request on a connection of its own, which any worker may take. */
function ask(body = "", path = "/"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { method: body === "" ? "GET" : "POST", agent: false };
    const sent = request(`${router.url}${path}`, options, (response) => {
      response.resume().on("end", () => {
        resolve({ status: response.statusCode, color: response.headers["x-sluice-color"] });
      });
    });
    sent.on("error", reject).end(body);
  });
}

const many = (times: number, body = "") => Promise.all(Array.from({ length: times }, () => ask(body)));

it("answers a change of weights when every worker serves by it", async () => {
  await begin();
  await untilHealth(router, "green", "up");
  for (let i = 0; i < 10; i++) {
    const to = i % 2 === 0 ? "green" : "blue";
    const changed = await post(router, "/admin/flip", { to });
    expect(changed).toMatchObject({ status: 200 });
    expect(changed.body).not.toHaveProperty("acknowledged");
    const answers = await many(30);
    expect(new Set(answers.map(({ color }) => color))).toEqual(new Set([to]));
  }
});

it("replaces a worker that does not acknowledge a change within 5 s", async () => {
  await begin();
  await untilHealth(router, "green", "up");
  const before = workersOf(router);
  const stopped = before[1]!;
  process.kill(stopped.pid, "SIGSTOP");
  const changed = await post(router, "/admin/flip", { to: "green" });
  expect(changed.body).not.toHaveProperty("acknowledged");
  await until(() => !isAlive(stopped.pid)); // killed; its parent may still have to take note
  await until(() => workersOf(router).length === 3);
  expect(workersOf(router).map(({ id }) => id)).toEqual([1, 3, 4]);
  expect(new Set((await many(30)).map(({ color }) => color))).toEqual(new Set(["green"]));
  expect(router.child.output).toMatch(/"worker":2,.*has not answered for 5 s/);
});

it("replaces workers that die at once, loses their connections only, and counts on", async () => {
  await begin();
  const began = performance.now();
  const load = new Load({ url: router.url, rate: 300 });
  let seen = await counters(router);
  for (let i = 0; i < 3; i++) {
    await load.more(150);
    const [oldest] = workersOf(router);
    process.kill(oldest!.pid, "SIGKILL");
    await until(async () => {
      const now = await counters(router);
      expect(backwards(seen, now)).toEqual([]);
      seen = now;
      const ids = workersOf(router).map(({ id }) => id);
      return ids.length === 3 && !ids.includes(oldest!.id);
    });
  }
  await load.more(1); // what is sent from here on meets living workers only
  const replaced = performance.now() - began;
  await load.more(150);
  const { lost } = await load.stop();
  expect(lost.filter((line) => !/socket hang up|ECONNRESET|EPIPE/.test(line))).toEqual([]);
  expect(lost.filter((line) => Number.parseInt(line, 10) > replaced)).toEqual([]);
  expect(workersOf(router).map(({ id }) => id)).toEqual([4, 5, 6]);
});

it("comes back when all workers die together", async () => {
  await begin();
  for (const { pid } of workersOf(router)) process.kill(pid, "SIGKILL");
  await until(() => workersOf(router).filter(({ id }) => id > 3).length === 3);
  await until(async () => (await fetch(`${router.admin}/readyz`)).ok);
  expect((await ask()).status).toBe(200);
});

it("is not ready before its workers answer", async () => {
  await begin(0, { workers: 2 });
  expect((await ask()).status).toBe(200); // with nothing waited for but /readyz
  await untilHealth(router, "green", "up");
});

it("has every worker take over a configuration that is read again", async () => {
  await begin();
  expect((await ask("x".repeat(2000))).status).toBe(200);
  const config = readFileSync(router.configPath, "utf8");
  writeFileSync(router.configPath, `${config}limits: { body: 1KiB }\n`);
  router.child.signal("SIGHUP");
  await router.child.printed(/The configuration was read again/);
  await until(async () => (await many(10, "x".repeat(2000))).every(({ status }) => status === 413));
});

it("finishes what every worker has in flight at SIGTERM, and leaves no process behind", async () => {
  await begin(400);
  const pids = workersOf(router).map(({ pid }) => pid);
  const answers = many(40);
  await until(async () => (await inFlight()) === 40);
  router.child.signal("SIGTERM");
  expect((await answers).every(({ status }) => status === 200)).toBe(true);
  expect(await router.child.exited()).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
  expect(workersOf(router)).toEqual([]);
});

it("ends its workers too when a second signal asks for the end at once", async () => {
  await begin(20_000);
  const pids = workersOf(router).map(({ pid }) => pid);
  const answers = Promise.allSettled(Array.from({ length: 10 }, () => ask()));
  await until(async () => (await inFlight()) === 10);
  router.child.signal("SIGTERM");
  await router.child.printed(/Stopping: requests/);
  router.child.signal("SIGTERM");
  expect(await router.child.exited()).toBe(1);
  expect(pids.filter(isAlive)).toEqual([]);
  await answers;
});

it("writes the lines of all workers whole to one standard output", async () => {
  await begin(0, { log: { access: "all" } });
  await many(300);
  await router.child.kill("SIGTERM");
  const lines = router.child.output.trim().split("\n");
  const requests = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === "request");
  expect(requests).toHaveLength(300);
});

it("keeps no worker without a state folder when it is killed", async () => {
  await begin(0, { state: "memory", workers: 2 });
  const pids = childrenOf(router.child.pid);
  expect(pids).toHaveLength(2);
  await router.child.kill("SIGKILL");
  await until(() => pids.every((pid) => !isAlive(pid)));
});

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim().split(" ").map(Number);
}

async function inFlight(): Promise<number> {
  const text = await (await fetch(`${router.admin}/metrics`)).text();
  return [...text.matchAll(/^sluice_requests_in_flight\{.*\} (\d+)/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}
