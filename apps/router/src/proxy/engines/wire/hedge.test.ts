import type { ServerResponse } from "node:http";
import { expect, it } from "vitest";
import { closing, eventually } from "../../../../test/support/open.ts";
import { TEST_CONFIG, type TestRouter, testPlane, testRouter } from "../../../../test/support/plane.ts";
import { refusedPort, type Upstream, upstream } from "../../../../test/support/upstream.ts";
import { muchLater } from "../../../../test/support/wire.ts";
import type { Config } from "../../../config/config.ts";
import { createWireEngine } from "./index.ts";

// That every lease and place in flight is given back, also by the attempt that lost, is checked by the router's close().

const keep = closing();
const retry = { ...TEST_CONFIG.retry, idempotent_paths: ["/predict"] };

type RouterOptions = NonNullable<Parameters<typeof testRouter>[1]>;

interface Scene {
  readonly router: TestRouter;
  /** Answers of green that are held back until the test ends them. */
  readonly held: ServerResponse[];
  readonly green: Upstream;
  readonly blue: Upstream;
}

/** All requests go to green, which is known to answer within a millisecond and holds back what it is asked now. */
async function scene(config: Partial<Config> = {}, more: RouterOptions = {}): Promise<Scene> {
  const held: ServerResponse[] = [];
  const green = keep(await upstream((_request, response) => held.push(response)));
  const blue = keep(await upstream((_request, response, body) => response.end(`blue ${body}`)));
  const colors = { green: { weight: 1, targets: [green.url] }, blue: { weight: 0, targets: [blue.url] } };
  const all = { retry, hedge: { after: "p95", max: 1 }, ...config } as const;
  const options = { config: all, ...more, snapshot: { standby: "blue", ...more.snapshot } };
  const router = keep(await testRouter(colors, options, createWireEngine));
  for (let i = 0; i < 20; i++) router.plane.colors[0]!.latency.record(1, router.plane.now());
  return { router, held, green, blue };
}

it("sends a second attempt when the first is slow, and takes the first answer", async () => {
  const { router, held, green, blue } = await scene();
  const answer = await fetch(router.url);
  expect(await answer.text()).toBe("blue ");
  expect(answer.headers.get("x-sluice-color")).toBe("blue");
  expect([green.seen.length, blue.seen.length]).toEqual([1, 1]);
  expect(router.plane.report().colors.blue).toMatchObject({ hedges: 1, requests: { "GET 200": 1 } });
  held[0]!.end("late");
  await eventually(() => router.plane.report().colors.green!.attempts.answered === 1);
});

it("lets the first attempt win when it answers after all", async () => {
  const { router, held, blue } = await scene();
  blue.server.removeAllListeners("request");
  const late: ServerResponse[] = [];
  blue.server.on("request", (_request, response) => late.push(response));
  const answer = fetch(router.url);
  await eventually(() => late.length === 1);
  held[0]!.end("green");
  expect(await (await answer).text()).toBe("green");
  expect(router.plane.report().colors.blue?.inFlight).toBe(0);
  late[0]!.end("late");
});

it("hedges a POST to a declared path with its whole body, and no other POST", async () => {
  const { router, held, blue } = await scene();
  const declared = await fetch(`${router.url}/predict`, { method: "POST", body: "x".repeat(30_000) });
  expect(await declared.text()).toBe(`blue ${"x".repeat(30_000)}`);
  const other = fetch(`${router.url}/other`, { method: "POST", body: "x" });
  await eventually(() => held.length === 2);
  await fetch(router.url); // by now the other one's time has come, too
  expect(blue.seen.map(({ url }) => url)).toEqual(["/predict", "/"]);
  held[1]!.end("green");
  expect(await (await other).text()).toBe("green");
  held[0]!.end();
});

it("does not hedge past its budget", () => {
  const colors = {
    green: { weight: 1, targets: ["http://127.0.0.1:1"] },
    blue: { weight: 0, targets: ["http://127.0.0.1:2"] },
  };
  const config = { hedge: { after: "p95", max: 0.01 } } as const;
  const { plane } = testPlane(colors, { config, snapshot: { standby: "blue" }, now: () => 1000 });
  const facts = { method: "GET", path: "/", peer: "127.0.0.1", header: () => undefined };
  const hedged = Array.from({ length: 40 }, () => {
    const exchange = plane.begin(facts);
    exchange.claim();
    return exchange.hedge() !== undefined;
  });
  expect(hedged.filter(Boolean)).toHaveLength(30); // three a second are always allowed
});

it("goes on with the second attempt when the first fails, and the other way round", async () => {
  const { router, held } = await scene();
  const first = fetch(router.url);
  await eventually(() => held.length === 1);
  held[0]!.destroy();
  expect(await (await first).text()).toBe("blue ");

  router.serve(
    {
      green: { weight: 1, targets: router.plane.colors[0]!.targets.map(({ url }) => url) },
      blue: { weight: 0, targets: [`http://127.0.0.1:${await refusedPort()}`] },
    },
    { standby: "blue" },
  );
  const second = fetch(router.url);
  await eventually(() => held.length === 2);
  await eventually(() => router.plane.report().colors.blue!.attempts.connect_failed === 1);
  held[1]!.end("green");
  expect(await (await second).text()).toBe("green");
});

it("gives both attempts up when the client goes away", async () => {
  const { router, held, blue } = await scene();
  blue.server.removeAllListeners("request");
  const late: ServerResponse[] = [];
  blue.server.on("request", (_request, response) => late.push(response));
  const abort = new AbortController();
  const answer = fetch(router.url, { signal: abort.signal }).catch(() => "aborted");
  await eventually(() => late.length === 1);
  await muchLater(router);
  abort.abort();
  expect(await answer).toBe("aborted");
  await eventually(() => held[0]!.destroyed && late[0]!.destroyed);
  expect(router.plane.colors.flatMap(({ targets }) => targets.map(({ errors }) => errors))).toEqual([0, 0]);
});

it("counts the first attempt as evidence, however late it answers, and never the second", async () => {
  const { router, held, blue, green } = await scene();
  router.serve({ green: { weight: 9, targets: [green.url] }, blue: { weight: 1, targets: [blue.url] } });
  const before = router.plane.report().colors;
  while (held.length === 0) await (await fetch(router.url)).text();
  const evidence = () => router.plane.report().colors.green!.evidence;
  expect(evidence()).toEqual(before.green!.evidence);
  held[0]!.writeHead(500).end();
  await eventually(() => evidence().requests === 1);
  expect(evidence()).toEqual({ requests: 1, bad: 1 });
});

const TAU = 10_000;
const MUCH = Buffer.alloc(256 * 1024); // more than is read of an answer that nobody wants

/** A rollout that calls answers slow after TAU, and a first attempt that has lost against its hedge. */
async function lostFirst() {
  const time = { passed: 0 };
  const rollout = {
    id: "r1",
    candidate: "green",
    stable: "blue",
    tallies: [{ name: "slow", kind: "slow", parameters: { after: TAU } }],
  };
  const { router, held, green, blue } = await scene(
    {},
    { now: () => performance.now() + time.passed, random: () => 0, snapshot: { rollout } },
  );
  const both = { green: { weight: 1, targets: [green.url] }, blue: { weight: 1, targets: [blue.url] } };
  router.serve(both, { rollout });
  expect(await (await fetch(router.url)).text()).toBe("blue ");
  const slow = () => router.plane.report().runs?.[0]?.tallies.slow?.strata[0];
  const [first] = held;
  return { router, time, first: first!, slow };
}

it("lets a first attempt run on after its hedge has won, and knows whether it was slow", async () => {
  const { first, slow } = await lostFirst();
  expect(slow()).toBeUndefined(); // an answer is not known to be fast because another came first
  first.end(MUCH);
  await eventually(() => slow() !== undefined);
  expect(slow()).toMatchObject({ candidate: { requests: 1, bad: 0 }, stable: { requests: 0 } });
});

it("does not call it fast for its first half, and gives it up once it is slow for sure", async () => {
  const { router, time, first, slow } = await lostFirst();
  first.write(MUCH);
  await muchLater(router); // it has read some of it by now
  expect(slow()).toBeUndefined();
  time.passed = TAU;
  first.write(MUCH);
  await eventually(() => slow() !== undefined);
  expect(slow()).toMatchObject({ candidate: { requests: 1, bad: 1 }, stable: { requests: 0 } });
  await eventually(() => first.destroyed);
});
