import { execFileSync } from "node:child_process";
import { afterEach, expect, it } from "vitest";
import { Child, endChildren } from "../support/child.ts";
import { Load, quantile } from "../support/load.ts";
import { closing } from "../support/open.ts";
import { type RunningRouter, removeFolder, startRouter, untilHealth } from "../support/running-router.ts";
import { upstream } from "../support/upstream.ts";

const CROWD = 10_000;
/** What the router needs beside: a quarter of the crowd has a connection to the upstream. */
const SPARE = 4000;

const keep = closing();
let folder = "";

afterEach(async () => {
  await endChildren();
  removeFolder(folder);
});

const openFiles = Number(execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }));
const enough = Number.isNaN(openFiles) || openFiles >= CROWD + SPARE; // "unlimited" is no number
if (!enough)
  console.log(`skipped: ${CROWD} connections need more than the ${openFiles} files that may be open`);

async function start(limits: object): Promise<RunningRouter> {
  const blue = keep(
    await upstream((request, response) => response.end(request.url === "/health/ready" ? "" : "ok")),
  );
  const colors = { blue: { weight: 100, targets: [blue.url] } };
  const timeouts = { client_header: "60s", client_body: "60s", keepalive: "60s", drain: "1s" };
  const router = await startRouter({ engine: "wire", colors, limits, timeouts, log: { access: "off" } });
  folder = router.folder;
  await untilHealth(router, "blue", "up");
  return router;
}

/** Resolves once the number of client connections that the router tells of is in bounds. */
async function untilConnections(router: RunningRouter, least: number, most: number): Promise<void> {
  for (;;) {
    const state = (await (await fetch(`${router.admin}/admin/state`)).json()) as { connections: number };
    if (state.connections >= least && state.connections <= most) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it.runIf(enough)(
  "serves others while 10,000 connections are idle or half-way through a request",
  async () => {
    const router = await start({ connections: CROWD + 1000 });
    const crowd = Child.node("apps/router/test/support/crowd.ts", [new URL(router.url).port, String(CROWD)]);
    await crowd.printed(/connected (\d+)/);
    expect(crowd.output).toContain(`connected ${CROWD}`);
    await untilConnections(router, CROWD, CROWD + SPARE);
    const load = new Load({ url: router.url, rate: 100 });
    await load.seconds(5);
    const { lost, latencies } = await load.stop();
    expect(lost).toEqual([]);
    expect(quantile(latencies, 0.99)).toBeLessThan(500);
    await crowd.kill();
    await untilConnections(router, 0, 10);
  },
);

it.runIf(enough)(
  "takes no more connections than it may, and new ones as soon as others have gone",
  async () => {
    const router = await start({ connections: 100 });
    const crowd = Child.node("apps/router/test/support/crowd.ts", [new URL(router.url).port, "300"]);
    await crowd.printed(/connected/);
    await crowd.printed(/closed 200/);
    await untilConnections(router, 100, 100);
    await crowd.kill();
    for (;;) {
      const answer = await fetch(router.url).catch(() => undefined);
      if (answer?.status === 200) break;
    }
  },
);
