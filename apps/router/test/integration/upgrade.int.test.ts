import { readFileSync, writeFileSync } from "node:fs";
import { createServer, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Child, endChildren } from "../support/child.ts";
import { Load } from "../support/load.ts";
import {
  post,
  type RunningRouter,
  removeFolder,
  startRouter,
  temporaryFolder,
  untilAnswers,
} from "../support/running-router.ts";
import { endRouter, installProgram, setVersion, stateOf, upgrade } from "../support/upgrading.ts";
import { refusedPort } from "../support/upstream.ts";
import { backwards, counters, endWorkers, isAlive, until, workersOf } from "../support/workers.ts";

const RATE = 400;
const PREDICT = "/api/predict/";
/** Every other request is a GET, the rest POSTs to a path that is declared repeatable. */
const kind = (i: number) =>
  i % 2 === 0
    ? { method: "GET", path: "/" }
    : { method: "POST", path: PREDICT, body: JSON.stringify({ data: [i] }) };

let ports: { blue: number; green: number };
let router: RunningRouter;

beforeEach(async () => {
  ports = { blue: await refusedPort(), green: await refusedPort() };
});
afterEach(async () => {
  await endRouter(router);
  await endChildren();
  endWorkers(router);
  removeFolder(router.folder);
});

async function begin(more: Record<string, unknown> = {}): Promise<void> {
  for (const color of ["blue", "green"] as const) {
    const args = [String(ports[color]), color, "5"];
    await Child.node("apps/router/test/support/fake-model.ts", args).printed(/listening/);
  }
  router = await startRouter({
    colors: {
      blue: { weight: 50, targets: [`http://127.0.0.1:${ports.blue}`] },
      green: { weight: 50, targets: [`http://127.0.0.1:${ports.green}`] },
    },
    retry: { idempotent_paths: [PREDICT] },
    ...more,
  });
  await ready();
}

const ready = () => until(async () => (await fetch(`${router.admin}/readyz`)).ok);

function editConfig(from: RegExp, to: string): void {
  writeFileSync(router.configPath, readFileSync(router.configPath, "utf8").replace(from, to));
}

async function upgraded(): Promise<{ from: number; to: number }> {
  const { status, from, to, detail } = await upgrade(router);
  expect([status, detail]).toEqual([200, undefined]);
  expect((await stateOf(router)).pid).toBe(to.pid);
  return { from: from.pid, to: to.pid };
}

/** Answers to requests, of every method and status. */
function answered(seen: Map<string, number>): number {
  return [...seen].reduce((sum, [name, count]) => sum + (/^sluice_requests_total/.test(name) ? count : 0), 0);
}

for (const engine of ["wire", "http-proxy"]) {
  for (const workers of [1, 2]) {
    it(`loses nothing in three upgrades in a row, with ${engine} and workers: ${workers}`, async () => {
      await begin({ engine, workers });
      const load = new Load({ url: router.url, rate: RATE, kind });
      await load.seconds(1);
      let [state, seen] = [await stateOf(router), await counters(router)];
      for (let i = 0; i < 3; i++) {
        const { from, to } = await upgraded();
        expect([from, to === from]).toEqual([state.pid, false]);
        const [then, now] = [await stateOf(router), await counters(router)];
        expect(backwards(seen, now)).toEqual([]);
        expect([then.revision, then.epoch > state.epoch]).toEqual([state.revision, true]);
        [state, seen] = [then, now];
        await load.seconds(0.5);
        await until(() => !isAlive(from));
      }
      expect(await router.child.exited()).toBe(0);
      const { lost, sent } = await load.stop();
      expect(lost).toEqual([]);
      await until(async () => answered(await counters(router)) === sent);
    });
  }
}

it("keeps what a worker has counted that is found deaf, and replaces it", async () => {
  await begin({ workers: 2 });
  const load = new Load({ url: router.url, rate: RATE, kind });
  await load.more(100);
  await load.stop();
  const seen = await counters(router);
  const { pid: deaf } = workersOf(router)[0]!;
  process.kill(deaf, "SIGSTOP");
  await upgraded();
  expect(isAlive(deaf)).toBe(false);
  const now = await counters(router);
  expect([backwards(seen, now), answered(now)]).toEqual([[], answered(seen)]);
  expect((await fetch(router.url)).status).toBe(200);
});

for (const upgrades of [1, 2]) {
  it(`has the old process finish what it has in flight, and counts it, after upgrades: ${upgrades}`, async () => {
    const held: ServerResponse[] = [];
    const origin = createServer((request, response) => {
      if (request.url === "/held") held.push(response);
      else response.end();
    });
    await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
    const { port } = origin.address() as AddressInfo;
    await begin({ colors: { blue: { weight: 1, targets: [`http://127.0.0.1:${port}`] } } });
    const answers = Array.from({ length: 4 }, () => fetch(`${router.url}/held`).then(({ status }) => status));
    await until(() => held.length === 4);
    const old: number[] = [];
    for (let i = 0; i < upgrades; i++) old.push((await upgraded()).from);
    expect(old.map(isAlive)).toEqual(old.map(() => true));
    await until(async () => (await metrics()).includes('in_flight{color="blue"} 4'));
    for (const response of held) response.end();
    expect(await Promise.all(answers)).toEqual([200, 200, 200, 200]);
    expect(await router.child.exited()).toBe(0);
    await until(() => !old.some(isAlive));
    await until(async () => answered(await counters(router)) === 4);
    expect(await metrics()).toContain('in_flight{color="blue"} 0');
    origin.close();
  });
}

const metrics = async () => (await fetch(`${router.admin}/metrics`)).text();

for (const workers of [1, 2]) {
  it(`runs the version that is on the disk now, with workers: ${workers}`, async () => {
    const folder = temporaryFolder();
    const program = installProgram(folder, "1.0.0");
    await begin({ workers, state: "memory" });
    await router.child.kill("SIGTERM");
    editConfig(/^state: memory$/m, "state: ./state");
    const child = new Child(process.execPath, [program, "serve", "--config", router.configPath]);
    await untilAnswers(`${router.admin}/readyz`, child);
    const old = workersOf(router).map(({ pid }) => pid);
    const load = new Load({ url: router.url, rate: RATE, kind });
    await load.seconds(0.5);
    expect((await stateOf(router)).version).toBe("1.0.0");
    setVersion(dirname(program), "2.0.0");
    const command = new Child(process.execPath, [
      program,
      "upgrade",
      "--config",
      router.configPath,
      "--json",
    ]);
    expect(await command.exited()).toBe(0);
    const { from, to } = JSON.parse(command.output);
    expect([from, to.version]).toEqual([{ version: "1.0.0", pid: child.pid }, "2.0.0"]);
    expect(await stateOf(router)).toMatchObject(to);
    expect(await metrics()).toContain('sluice_build_info{version="2.0.0"} 1');
    expect(await child.exited()).toBe(0);
    await until(() => old.every((pid) => !isAlive(pid)));
    expect(workersOf(router)).toHaveLength(workers === 1 ? 0 : 2);
    await load.seconds(0.5);
    expect((await load.stop()).lost).toEqual([]);
    removeFolder(folder);
  });
}

it("loses no change that is made meanwhile: it is answered, or refused with Retry-After", async () => {
  await begin();
  let [made, to, ended] = [0, "blue", false];
  const changing = (async () => {
    while (!ended) {
      const next = to === "blue" ? "green" : "blue";
      const answer = await fetch(`${router.admin}/admin/flip`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ to: next }),
      });
      if (answer.status === 200) [made, to] = [made + 1, next];
      else expect([answer.status, answer.headers.get("Retry-After")]).toEqual([503, "1"]);
      await answer.arrayBuffer();
    }
  })();
  for (let i = 0; i < 3; i++) await upgraded();
  ended = true;
  await changing;
  const { revision, weights } = await stateOf(router);
  expect([revision, weights[to]]).toEqual([1 + made, 100]);
  expect(made).toBeGreaterThan(3);
});

for (const [from, to] of [
  [1, 2],
  [2, 1],
] as const) {
  it(`goes from workers: ${from} to workers: ${to}, losing nothing`, async () => {
    await begin({ workers: from });
    const load = new Load({ url: router.url, rate: RATE, kind });
    await load.seconds(0.5);
    const seen = await counters(router);
    editConfig(/^workers: .*$/m, `workers: ${to}`);
    await upgraded();
    expect(backwards(seen, await counters(router))).toEqual([]);
    await until(() => workersOf(router).length === to); // one that serves already goes on as a process of its own
    await load.seconds(0.5);
    await upgraded();
    await load.seconds(0.5);
    const { lost, sent } = await load.stop();
    expect(lost).toEqual([]);
    await until(async () => answered(await counters(router)) === sent);
  });
}

for (const workers of [1, 2]) {
  it(`keeps what only memory holds, with workers: ${workers}`, async () => {
    await begin({ workers, state: "memory" });
    const flipped = await post(router, "/admin/flip", { to: "green" });
    const load = new Load({ url: router.url, rate: RATE, kind });
    const { from, to } = await upgraded();
    await until(() => !isAlive(from));
    await load.seconds(0.3);
    const { lost, byColor } = await load.stop();
    expect([lost, Object.keys(byColor)]).toEqual([[], ["green"]]);
    expect(await stateOf(router)).toMatchObject({ revision: flipped.body.revision, weights: { green: 100 } });
    process.kill(to, "SIGTERM");
    await until(() => !isAlive(to));
    await expect(fetch(router.url)).rejects.toThrow();
  });
}

it("opens another address where the configuration has one, and answers at the old one until then", async () => {
  await begin();
  const port = await refusedPort();
  const old = router.url;
  editConfig(/^listen: .*$/m, `listen: 127.0.0.1:${port}`);
  await upgraded();
  expect((await fetch(`http://127.0.0.1:${port}`)).status).toBe(200);
  expect(await router.child.exited()).toBe(0);
  await expect(fetch(old)).rejects.toThrow();
});

it("keeps the port that the system chose", async () => {
  await begin({ listen: "127.0.0.1:0" });
  const [, address] = await router.child.printed(/"listen":"([^"]+)"/);
  const load = new Load({ url: `http://${address}`, rate: RATE, kind });
  await upgraded();
  await load.seconds(0.3);
  expect((await load.stop()).lost).toEqual([]);
});

it("has a tunnel go on in the old process, which ends with it", async () => {
  const origin = createServer().on("upgrade", (_, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.pipe(socket);
  });
  origin.on("request", (_, response) => response.end());
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  const { port } = origin.address() as { port: number };
  await begin({ colors: { blue: { weight: 1, targets: [`http://127.0.0.1:${port}`] } } });
  const socket = await new Promise<import("node:stream").Duplex>((resolve, reject) => {
    request(router.url, { headers: { Connection: "Upgrade", Upgrade: "websocket" } })
      .on("upgrade", (_, duplex) => resolve(duplex))
      .on("error", reject)
      .end();
  });
  const { from } = await upgraded();
  const echoed = new Promise((resolve) => socket.once("data", (bytes) => resolve(String(bytes))));
  socket.write("still here");
  expect([await echoed, isAlive(from)]).toEqual(["still here", true]);
  socket.end();
  expect(await router.child.exited()).toBe(0);
  origin.close();
});
