import { once } from "node:events";
import type { Socket } from "node:net";
import { expect, it } from "vitest";
import { closing, eventually } from "../../../../test/support/open.ts";
import { RawClient } from "../../../../test/support/raw-client.ts";
import { rawUpstream, refusedPort } from "../../../../test/support/upstream.ts";
import {
  BulkClient,
  blamed,
  GET,
  hearing,
  muchLater,
  SWITCHING,
  standstill,
  UPGRADE,
  untroubled,
  type WireConfig,
  wireRouter,
} from "../../../../test/support/wire.ts";

untroubled();
const keep = closing();

/** A router before an upstream that switches at once and then does `then` with what comes behind the head. */
async function tunnel(
  then: (socket: Socket, all: string) => void = () => {},
  config: WireConfig = {},
  answer = SWITCHING,
) {
  const blue = keep(
    await hearing((socket, all, i) => {
      heads[i] ??= all.includes("\r\n\r\n") ? all.indexOf("\r\n\r\n") + 4 : undefined;
      if (heads[i] === undefined) return;
      if (!switched.has(i)) socket.write(answer);
      switched.add(i);
      then(socket, all.slice(heads[i]));
    }),
  );
  const heads: (number | undefined)[] = [];
  const switched = new Set<number>();
  const router = keep(await wireRouter(blue.url, config));
  const client = keep(await RawClient.connect(router.port));
  return { blue, router, client };
}

const opened = /^HTTP\/1\.1 101 [\s\S]*?\r\n\r\n/;

it("carries bytes both ways, also those that come with either head", async () => {
  const { client, router } = await tunnel(
    (socket, all) => all !== "" && socket.write(`<${all}>`),
    {},
    `${SWITCHING}early`,
  );
  client.send(`${UPGRADE}mine`);
  await client.until("early<mine>");
  client.send("more");
  await client.until("<minemore>");
  expect(router.plane.colors[0]?.counters.tunnels).toBe(1);
});

// More than limits.header of them had paused the socket, for ever.
it("goes on after many early bytes of a client", async () => {
  let switching = () => {};
  const blue = keep(
    await hearing((socket, all) => {
      switching = () => socket.write(SWITCHING);
      if (all.endsWith("end")) socket.write("all of it");
    }),
  );
  const router = keep(await wireRouter(blue.url));
  const client = keep(await RawClient.connect(router.port));
  client.send(UPGRADE);
  await eventually(() => blue.received.length === 1);
  client.send("x".repeat(500_000));
  client.send("end");
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  switching();
  await client.until("all of it");
  expect(blue.received[0]!.length).toBeGreaterThan(500_000);
});

it("tells the upstream that the client has closed its half, and still carries the answer", async () => {
  const { client, router, blue } = await tunnel((socket) => {
    socket.once("end", () => socket.end("last words"));
  });
  client.send(UPGRADE);
  await client.until(opened);
  client.socket.end("first words");
  expect(await client.untilClosed()).toMatch(/last words$/);
  expect(blue.received[0]).toMatch(/first words$/);
  await eventually(() => router.lines.length === 1);
  expect(router.lines).toMatchObject([{ status: 101, outcome: "answered" }]);
});

it("tells the client that the upstream has closed its half, and still carries what it says", async () => {
  const { client, router, blue } = await tunnel((socket, all) => {
    socket.allowHalfOpen = true;
    if (all.endsWith("first words")) socket.end("last words");
  });
  const ended = once(client.socket, "end");
  client.send(UPGRADE);
  await client.until(opened);
  client.send("first words");
  await ended;
  client.send("and more");
  await eventually(() => blue.received[0]!.endsWith("and more"));
  expect(router.lines).toEqual([]);
  client.socket.end();
  await eventually(() => router.lines.length === 1 && blue.sockets.size === 0);
  expect(router.lines).toMatchObject([{ status: 101, outcome: "answered" }]);
});

it("loses nothing that a client sent before it closed, though the upstream reads it late", async () => {
  let upstream: Socket | undefined;
  const { client, blue } = await tunnel((socket, all) => {
    if (upstream === undefined) socket.pause();
    upstream = socket;
    if (all.endsWith("end")) socket.end("got it");
  });
  client.send(UPGRADE);
  await client.until(opened);
  const size = 20_000_000;
  client.socket.write(Buffer.alloc(size, "x"));
  client.socket.end("end");
  await eventually(() => upstream !== undefined);
  upstream!.resume();
  expect(await client.untilClosed()).toMatch(/got it$/);
  expect(blue.received[0]!.length).toBeGreaterThan(size);
}, 60_000);

it("ends when a client that closed its half hears nothing for as long as a stream may be idle", async () => {
  const { client, router, blue } = await tunnel(() => {}, { timeouts: { stream_idle: 100 } });
  for (const socket of blue.sockets) socket.allowHalfOpen = true;
  client.send(UPGRADE);
  await client.until(opened);
  for (const socket of blue.sockets) socket.allowHalfOpen = true;
  client.socket.end();
  await eventually(() => router.plane.connections === 0 && router.lines.length === 1);
  expect(router.lines).toMatchObject([{ status: 101, outcome: "answered" }]);
});

it("takes a client that closes with its request", async () => {
  const { client } = await tunnel((socket) => {
    socket.once("end", () => socket.end("bye"));
  });
  client.socket.end(UPGRADE);
  expect(await client.untilClosed()).toMatch(/bye$/);
});

it.each(["reset", "close"] as const)("is answered, whoever ends it, also by a client's %s", async (how) => {
  const { client, router, blue } = await tunnel();
  client.send(UPGRADE);
  await client.until(opened);
  if (how === "reset") client.socket.resetAndDestroy();
  else client.close();
  await eventually(() => blue.sockets.size === 0 && router.lines.length === 1);
  expect(router.lines).toMatchObject([{ status: 101, outcome: "answered" }]);
  expect(blamed(router)).toBe(0);
});

it.each(["end", "resetAndDestroy"] as const)("ends with the upstream's %s", async (how) => {
  const { client, router, blue } = await tunnel();
  client.send(UPGRADE);
  await client.until(opened);
  for (const socket of blue.sockets) socket[how]();
  await client.untilClosed();
  client.socket.end(); // an end is passed on alone, and the other side has its say
  await eventually(() => router.lines.length === 1);
  expect(router.lines).toMatchObject([{ status: 101, outcome: "answered" }]);
  expect(blamed(router)).toBe(0);
});

it.each(["reset", "close"] as const)("is cancelled by a client's %s before it is answered", async (how) => {
  const blue = keep(await hearing());
  const router = keep(await wireRouter(blue.url));
  const client = keep(await RawClient.connect(router.port));
  client.send(UPGRADE);
  await eventually(() => blue.received[0]?.endsWith("\r\n\r\n") === true);
  await muchLater(router);
  if (how === "reset") client.socket.resetAndDestroy();
  else client.close();
  await eventually(() => blue.sockets.size === 0 && router.lines.length === 1);
  expect(router.lines).toMatchObject([{ status: 499, outcome: "client_abort" }]);
  expect(blamed(router)).toBe(0);
});

it("passes a refusal on whose body is chunked, and closes", async () => {
  const { client, router } = await tunnel(
    () => {},
    {},
    "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno!\r\n0\r\n\r\n",
  );
  client.send(`${UPGRADE}early`);
  const text = await client.untilClosed();
  expect(text).toMatch(/^HTTP\/1\.1 403 No\r\n[\s\S]*\r\nConnection: close\r\n\r\n3\r\nno!\r\n0\r\n\r\n$/);
  expect(router.lines).toMatchObject([{ status: 403 }]);
});

it("answers 502 to a switch that nobody asked for, and to one that does not say to what", async () => {
  const { client } = await tunnel();
  client.send(GET);
  expect(await client.until(/\}\n$/)).toMatch(/^HTTP\/1\.1 502 /);
  const silent = await tunnel(
    () => {},
    {},
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n",
  );
  silent.client.send(UPGRADE);
  expect(await silent.client.untilClosed()).toMatch(/^HTTP\/1\.1 502 /);
});

it.each(["refuses", "resets"])(
  "goes to another target where the first %s, with its early bytes",
  async (how) => {
    const dead = keep(await hearing((socket) => socket.resetAndDestroy()));
    const first = how === "resets" ? dead.url : `http://127.0.0.1:${await refusedPort()}`;
    const green = keep(
      await hearing((socket, all) => {
        if (all.endsWith("\r\n\r\n")) socket.write(SWITCHING);
        if (all.endsWith("\r\n\r\nearly")) socket.write("echo");
      }),
    );
    const colors = { blue: { weight: 1, targets: [first] }, green: { weight: 0, targets: [green.url] } };
    const router = keep(await wireRouter(colors));
    const client = keep(await RawClient.connect(router.port));
    client.send(`${UPGRADE}early`);
    await client.until(/\r\n\r\necho$/);
    expect(client.text).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\nX-Sluice-Color: green\r\n/);
  },
);

it("reads neither side faster than the other, and goes on when that one reads again", async () => {
  const total = 60_000_000;
  const upstreams: Socket[] = [];
  const blue = keep(
    await rawUpstream((socket) => {
      socket.once("data", () => {
        upstreams.push(socket.pause());
        socket.write(SWITCHING);
        flood(socket);
      });
    }),
  );
  let sent = 0;
  const flood = (socket: Socket) => {
    const chunk = Buffer.alloc(100_000);
    let left = total;
    const more = () => {
      while (left > 0) {
        left -= chunk.length;
        sent += chunk.length;
        if (!socket.write(chunk)) return;
      }
    };
    socket.on("drain", more);
    more();
  };
  const router = keep(await wireRouter(blue.url));
  const other = await tunnel();
  const client = keep(await BulkClient.connect(router.port));
  client.socket.pause();
  client.socket.write(UPGRADE);
  await eventually(() => upstreams.length === 1);
  flood(client.socket);
  expect(await standstill(() => sent, other.router.url)).toBeLessThan(total);
  let received = 0;
  upstreams[0]!.on("data", (chunk) => {
    received += chunk.length;
  });
  client.socket.resume();
  upstreams[0]!.resume();
  await eventually(() => sent === 2 * total && received === total && client.bytes > total);
});

it.each(["client", "upstream"])("is ended where the %s takes nothing for too long", async (who) => {
  let flood: Socket | undefined;
  const { blue, router, client } = await tunnel(
    (socket) => {
      if (flood !== undefined) return;
      flood = socket;
      if (who === "upstream") socket.pause();
      else socket.write(Buffer.alloc(30_000_000));
    },
    { timeouts: { stream_idle: 200 } },
  );
  client.send(UPGRADE);
  await client.until(opened);
  if (who === "client") client.socket.pause();
  else client.send(Buffer.alloc(30_000_000));
  await eventually(() => router.lines.length === 1 && blue.sockets.size <= 1);
  expect(router.lines).toMatchObject([{ status: 101, outcome: "answered" }]);
  expect(blamed(router)).toBe(0);
});
