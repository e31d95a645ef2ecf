import { afterEach, expect, it } from "vitest";
import { endChildren } from "../support/child.ts";
import { http2Client } from "../support/http2-client.ts";
import { Load } from "../support/load.ts";
import { RawClient } from "../support/raw-client.ts";
import {
  post,
  type RunningRouter,
  removeFolder,
  restartRouter,
  startRouter,
  untilHealth,
} from "../support/running-router.ts";
import { endRouter, upgrade } from "../support/upgrading.ts";
import { type Upstream, upstream } from "../support/upstream.ts";
import { socketUpstream } from "../support/web-sockets.ts";
import { endWorkers, isAlive, until, workersOf } from "../support/workers.ts";

const RATE = 200;
let router: RunningRouter;
const open: { close(): unknown }[] = [];
const keep = <T extends { close(): unknown }>(thing: T): T => {
  open.push(thing);
  return thing;
};
afterEach(async () => {
  await endRouter(router);
  await endChildren();
  endWorkers(router);
  for (const thing of open.splice(0)) await thing.close();
  removeFolder(router.folder);
});

async function begin(config: Record<string, unknown> = {}): Promise<{ blue: Upstream; green: Upstream }> {
  const [blue, green] = [keep(await upstream()), keep(await upstream())];
  router = await startRouter({
    colors: { blue: { weight: 100, targets: [blue.url] }, green: { weight: 0, targets: [green.url] } },
    health: { interval: "100ms" },
    ...config,
  });
  await untilHealth(router, "blue", "up");
  await untilHealth(router, "green", "up");
  return { blue, green };
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${router.admin}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`sluice_${name} `));
  return Number(line?.split(" ").at(-1));
}

const ended = () => until(() => !router.child.running);
const predictions = ({ seen }: Upstream) => seen.filter(({ url }) => url === "/").length;

it.each([
  ["wire", 1],
  ["wire", 2],
  ["http-proxy", 1],
  ["http-proxy", 2],
] as const)(
  "loses nothing of a load over a pause and a flip: engine %s, workers %i",
  async (engine, workers) => {
    const { blue, green } = await begin({ engine, workers });
    const load = new Load({ url: router.url, rate: RATE });
    const second = keep(http2Client(router.url));
    await load.more(RATE / 2);
    const paused = await post(router, "/admin/pause?wait=drained&timeout=30s", {
      for: "10m",
      timeout: "10m",
    });
    expect(paused).toMatchObject({ status: 200, body: { drained: true, gate: { kind: "pause" } } });
    const before = blue.seen.length + green.seen.length;
    const stream = second.send({});
    await load.more(RATE / 2);
    await until(async () => (await metric("requests_held")) >= RATE / 2);
    expect(await metric("paused")).toBe(1);
    expect((await post(router, "/admin/flip", { to: "green" })).status).toBe(200);
    // checks go on, and nothing else arrives anywhere
    const checks = [...blue.seen, ...green.seen].slice(before).filter(({ url }) => url === "/");
    expect(checks).toEqual([]);
    const toBlue = predictions(blue);
    expect((await post(router, "/admin/resume")).status).toBe(200);
    await load.more(RATE / 2);
    const result = await load.stop();
    expect(result.lost).toEqual([]);
    expect((await stream).headers["x-sluice-color"]).toBe("green");
    expect(predictions(blue)).toBe(toBlue);
    expect(result.byColor.green).toBeGreaterThan(RATE / 2);
    expect(await metric("requests_held")).toBe(0);
  },
);

it("stays paused over a kill of the control plane, whose workers hold on, and over its restart", async () => {
  await begin({ workers: 2 });
  await post(router, "/admin/pause", { for: "10m", timeout: "10m" });
  const client = keep(await RawClient.connect(Number(new URL(router.url).port)));
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await until(async () => (await metric("requests_held")) === 1);
  router.child.signal("SIGKILL");
  await ended();
  router = await restartRouter(router);
  await until(async () => (await metric("requests_held")) === 1);
  expect(client.text).toBe("");
  await untilHealth(router, "blue", "up");
  expect((await post(router, "/admin/resume")).status).toBe(200);
  await client.until("200 OK");
});

it.each([1, 2])(
  "stays paused over an upgrade, whose resume reaches those that wait: workers %i",
  async (workers) => {
    await begin({ workers });
    await post(router, "/admin/pause", { for: "10m", timeout: "10m" });
    const { port } = new URL(router.url);
    const before = keep(await RawClient.connect(Number(port)));
    before.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(async () => (await metric("requests_held")) === 1);
    expect((await upgrade(router)).status).toBe(200);
    const after = keep(await RawClient.connect(Number(port)));
    after.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(async () => (await metric("requests_held")) === 2);
    expect(before.text + after.text).toBe("");
    expect((await post(router, "/admin/resume")).status).toBe(200);
    await before.until("200 OK");
    await after.until("200 OK");
  },
);

it("answers those that wait when it is told to stop, and ends in time", async () => {
  await begin({ timeouts: { drain: "2s" } });
  await post(router, "/admin/pause", { for: "10m", timeout: "10m" });
  const client = keep(await RawClient.connect(Number(new URL(router.url).port)));
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await until(async () => (await metric("requests_held")) === 1);
  router.child.signal("SIGTERM");
  const text = await client.untilClosed();
  expect(text).toMatch(/^HTTP\/1\.1 503 /);
  expect(text).toContain("the router is about to stop");
  expect(text).toMatch(/\r\nConnection: close\r\n/);
  await ended();
  expect(router.child.output).toContain("Stopped.");
});

it.each([1, 2])("closes WebSockets properly when it is told to stop: workers %i", async (workers) => {
  const blue = keep(await socketUpstream());
  router = await startRouter({
    workers,
    colors: { blue: { weight: 1, targets: [blue.url] }, green: { weight: 0, targets: [] } },
    health: { interval: "100ms" },
    timeouts: { drain: "2s" },
  });
  await untilHealth(router, "blue", "up");
  const codes: number[] = [];
  const clients = Array.from({ length: 20 }, () => new WebSocket(router.url.replace("http", "ws")));
  await Promise.all(
    clients.map((client) => {
      client.addEventListener("close", ({ code, wasClean }) => codes.push(wasClean ? code : -code));
      return new Promise((resolve) => client.addEventListener("open", resolve, { once: true }));
    }),
  );
  await until(async () => {
    const text = await (await fetch(`${router.admin}/metrics`)).text();
    return text.includes('sluice_tunnels{color="blue"} 20');
  });
  const pids = workersOf(router).map(({ pid }) => pid);
  router.child.signal("SIGTERM");
  await until(() => codes.length === 20);
  expect(new Set(codes)).toEqual(new Set([1001]));
  await ended();
  await until(() => !pids.some(isAlive));
});
