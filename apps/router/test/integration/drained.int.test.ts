import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { endChildren } from "../support/child.ts";
import {
  post,
  type RunningRouter,
  removeFolder,
  startRouter,
  untilHealth,
} from "../support/running-router.ts";

let router: RunningRouter | undefined;
const closing: (() => void)[] = [];
afterEach(async () => {
  await endChildren();
  for (const close of closing.splice(0)) close();
  if (router) removeFolder(router.folder);
});

/** An upstream whose answers wait until the test lets them go. */
async function holding(): Promise<{ url: string; held: ServerResponse[]; arrived: () => Promise<void> }> {
  const held: ServerResponse[] = [];
  let wake = () => {};
  const server = createServer((request, response) => {
    if (request.url === "/health/ready") {
      response.end();
      return;
    }
    held.push(response);
    wake();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const arrived = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
      if (held.length > 0) resolve();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, held, arrived };
}

async function untilWeight(color: string, weight: number): Promise<void> {
  for (;;) {
    const state = (await (await fetch(`${router!.admin}/admin/state`)).json()) as {
      weights: Record<string, number>;
    };
    if (state.weights[color] === weight) return;
  }
}

it("answers wait=drained only when the last request of the emptied color has ended", async () => {
  const [blue, green] = [await holding(), await holding()];
  router = await startRouter({
    colors: { blue: { weight: 100, targets: [blue.url] }, green: { weight: 0, targets: [green.url] } },
    health: { interval: "100ms" },
  });
  await untilHealth(router, "blue", "up");
  await untilHealth(router, "green", "up");
  const slow = fetch(`${router.url}/slow`).then((answer) => answer.text());
  await blue.arrived();

  let answered = false;
  const weights = post(router, "/admin/weights?wait=drained&timeout=30s", { blue: 0, green: 100 }).then(
    (answer) => {
      answered = true;
      return answer;
    },
  );
  await untilWeight("blue", 0);
  const other = fetch(`${router.url}/other`).then((answer) => answer.headers.get("x-sluice-color"));
  await green.arrived();
  for (let i = 0; i < 20; i++) await fetch(`${router.admin}/admin/state`).then((state) => state.text());
  expect(answered).toBe(false);

  blue.held[0]!.end("done");
  expect(await slow).toBe("done");
  expect(await weights).toMatchObject({ status: 200, body: { drained: true, in_flight: { blue: 0 } } });
  green.held[0]!.end();
  expect(await other).toBe("green");
});

it("answers drained: false at the time-out, with what is still in flight", async () => {
  const blue = await holding();
  router = await startRouter({
    colors: { blue: { weight: 100, targets: [blue.url] }, green: { weight: 0, targets: [] } },
    health: { interval: "100ms" },
  });
  await untilHealth(router, "blue", "up");
  const slow = fetch(`${router.url}/slow`);
  await blue.arrived();
  const answer = await post(router, "/admin/weights?wait=drained&timeout=200ms", { blue: 0, green: 100 });
  expect(answer).toMatchObject({ status: 200, body: { drained: false, in_flight: { blue: 1 } } });
  blue.held[0]!.end();
  expect((await slow).status).toBe(200);
});
