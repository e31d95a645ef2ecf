import { expect, it } from "vitest";
import { closing, eventually } from "../../../../test/support/open.ts";
import { RawClient } from "../../../../test/support/raw-client.ts";
import { upstream } from "../../../../test/support/upstream.ts";
import { GET, hearing, untroubled, wireRouter } from "../../../../test/support/wire.ts";

untroubled();
const keep = closing();

it("follows other time-outs, also for those who wait already", async () => {
  const blue = keep(await hearing());
  const router = keep(await wireRouter(blue.url));
  const waiting = keep(await RawClient.connect(router.port));
  const slow = keep(await RawClient.connect(router.port));
  waiting.send(GET);
  slow.send("GET /");
  await eventually(() => blue.sockets.size === 1);
  const { config } = router.plane;
  router.plane.configure({
    ...config,
    timeouts: { ...config.timeouts, response_header: 50, client_header: 50 },
  });
  expect(await waiting.until(/\}\n$/)).toMatch(/^HTTP\/1\.1 504 /);
  expect(await slow.untilClosed()).toMatch(/^HTTP\/1\.1 408 /);
});

it("follows another limit of connections", async () => {
  const blue = keep(await upstream());
  const router = keep(await wireRouter(blue.url, { limits: { connections: 1 } }));
  const first = keep(await RawClient.connect(router.port));
  await eventually(() => router.plane.connections === 1);
  expect(await keep(await RawClient.connect(router.port)).untilClosed()).toBe("");
  const { config } = router.plane;
  router.plane.configure({ ...config, limits: { ...config.limits, connections: 2 } });
  let second = keep(await RawClient.connect(router.port));
  second.send(GET);
  while (!(await second.until("ok").catch(() => ""))) {
    second = keep(await RawClient.connect(router.port));
    second.send(GET);
  }
  first.send(GET);
  await first.until("ok");
});
