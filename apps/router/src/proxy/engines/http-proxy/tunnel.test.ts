import type { Socket } from "node:net";
import { expect, it } from "vitest";
import { closing, eventually } from "../../../../test/support/open.ts";
import { TEST_CONFIG, testRouter } from "../../../../test/support/plane.ts";
import { RawClient } from "../../../../test/support/raw-client.ts";
import { rawUpstream, refusedPort } from "../../../../test/support/upstream.ts";

const keep = closing();
const UPGRADE =
  "GET /ws//x HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: k\r\n\r\n";
const SWITCHING =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nKeep-Alive: timeout=3\r\n\r\n";

/** A router before an upstream that does `answer` once it has an upgrade's head. */
async function tunnel(answer: (socket: Socket) => void, timeouts = TEST_CONFIG.timeouts) {
  let received = "";
  const blue = keep(
    await rawUpstream((socket) => {
      let head = "";
      socket.on("data", (chunk) => {
        received += chunk.toString("latin1");
        if (head.includes("\r\n\r\n")) return;
        head += chunk.toString("latin1");
        if (head.includes("\r\n\r\n")) answer(socket);
      });
    }),
  );
  const router = keep(
    await testRouter({ blue: { weight: 1, targets: [blue.url] } }, { config: { timeouts } }),
  );
  const client = keep(await RawClient.connect(router.port));
  return { blue, router, client, received: () => received };
}

/** A port that takes an upgrade and hangs up. */
async function closingPort(): Promise<string> {
  const upstream = keep(await rawUpstream((socket) => socket.once("data", () => socket.end())));
  return new URL(upstream.url).port;
}

it("carries bytes both ways, also those that come with the head", async () => {
  const { client, router, received, blue } = await tunnel((socket) => {
    socket.write(`${SWITCHING}early from upstream`);
    socket.on("data", (chunk) => socket.write(`echo ${chunk}`));
  });
  client.send(`${UPGRADE}early from client`);
  await client.until("early from upstream");
  await client.until("echo early from client");
  client.send("more");
  await client.until("echo more");
  expect(client.text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
  expect(client.text).toMatch(/\r\nX-Sluice-Color: blue\r\n/i);
  expect(client.text).not.toMatch(/keep-alive/i);
  expect(received()).toMatch(/^GET \/ws\/\/x HTTP\/1\.1\r\n/);
  expect(received()).toMatch(/\r\nX-Forwarded-For: 127\.0\.0\.1\r\n/);
  expect(router.plane.colors[0]?.counters.tunnels).toBe(1);
  client.close();
  await eventually(() => blue.sockets.size === 0 && router.lines.length === 1);
  expect(router.lines[0]).toMatchObject({ status: 101, outcome: "answered" });
});

it("closes the client's connection when the upstream closes", async () => {
  const { client } = await tunnel((socket) => socket.end(`${SWITCHING}bye`));
  client.send(UPGRADE);
  expect(await client.untilClosed()).toMatch(/bye$/);
});

it("passes a refusal on with its body out of its chunks", async () => {
  const { client, router } = await tunnel((socket) =>
    socket.write("HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno!\r\n0\r\n\r\n"),
  );
  client.send(UPGRADE);
  const text = await client.untilClosed();
  expect(text).toMatch(/^HTTP\/1\.1 403 No\r\n/);
  expect(text).not.toMatch(/transfer-encoding/i);
  expect(text).toMatch(/\r\n\r\nno!$/);
  await eventually(() => router.lines.length === 1);
  expect(router.lines[0]).toMatchObject({ status: 403 });
});

it("cuts a refusal that breaks off so that it shows", async () => {
  const { client } = await tunnel((socket) =>
    socket.end("HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno!\r\n"),
  );
  client.send(UPGRADE);
  await client.untilClosed();
  expect(client.reset).toBe(true);
});

it("answers 502 where an upgrade's answer is in doubt", async () => {
  const { client } = await tunnel((socket) =>
    socket.write("HTTP/1.1 403 No\r\nTransfer-Encoding: gzip\r\n\r\n"),
  );
  client.send(UPGRADE);
  expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 502 /);
});

it("answers 502 where the upstream closes instead of answering", async () => {
  const { client, router } = await tunnel((socket) => socket.end());
  client.send(UPGRADE);
  expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 502 /);
  await eventually(() => router.lines.length === 1);
  expect(router.lines[0]).toMatchObject({ status: 502, outcome: "reset" });
});

it("answers 502 where the upstream cannot be reached", async () => {
  const router = keep(
    await testRouter({ blue: { weight: 1, targets: [`http://127.0.0.1:${await refusedPort()}`] } }),
  );
  const client = keep(await RawClient.connect(router.port));
  client.send(UPGRADE);
  expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 502 [\s\S]*application\/problem\+json/);
  await eventually(() => router.lines.length === 1);
  expect(router.lines[0]).toMatchObject({ status: 502, outcome: "connect_failed" });
});

it.each([
  ["refuses connections", refusedPort, "connect_failed"],
  ["closes instead of answering", closingPort, "reset"],
])("goes to another target where the first %s, with what came with the head", async (_why, dead, outcome) => {
  const green = keep(
    await rawUpstream((socket) => {
      socket.once("data", () => {
        socket.write(SWITCHING);
        socket.on("data", (chunk) => socket.write(`echo ${chunk}`));
      });
    }),
  );
  const colors = {
    blue: { weight: 1, targets: [`http://127.0.0.1:${await dead()}`] },
    green: { weight: 0, targets: [green.url] },
  };
  const router = keep(await testRouter(colors, { snapshot: { standby: "green" } }));
  const client = keep(await RawClient.connect(router.port));
  client.send(`${UPGRADE}early`);
  await client.until("echo early");
  expect(client.text).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\nX-Sluice-Color: green\r\n/);
  client.close();
  await eventually(() => router.lines.length === 1);
  expect(router.lines[0]).toMatchObject({ status: 101, color: "green", assigned: "blue", attempts: 2 });
  const { blue } = router.plane.report().colors;
  expect(blue).toMatchObject({ attempts: { [outcome]: 1 }, failovers: { green: 1 }, inFlight: 0 });
});

it("answers 503 where no target is left", async () => {
  const router = keep(await testRouter({ blue: { weight: 1, targets: [] } }));
  const client = keep(await RawClient.connect(router.port));
  client.send(UPGRADE);
  expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 1\r\n/);
});

it("answers 504 where the upstream is silent, and drops the upstream's connection", async () => {
  const { client, blue } = await tunnel(() => {}, { ...TEST_CONFIG.timeouts, response_header: 50 });
  client.send(UPGRADE);
  expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 504 /);
  await eventually(() => blue.sockets.size === 0);
});

it("refuses an upgrade that leaves a doubt", async () => {
  const { client, received } = await tunnel((socket) => socket.end());
  client.send(UPGRADE.replace("Host: a\r\n", "Host: a\r\nHost: b\r\n"));
  expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 400 /);
  expect(received()).toBe("");
});

it("is cut at the end of a drain", async () => {
  const { client, router } = await tunnel((socket) => socket.write(SWITCHING));
  client.send(UPGRADE);
  await client.until("101");
  await router.close();
  await client.untilClosed();
});
