import { expect, it } from "vitest";
import { closing, eventually } from "../../../../test/support/open.ts";
import { testPlane } from "../../../../test/support/plane.ts";
import { RawClient } from "../../../../test/support/raw-client.ts";
import { settled } from "../../../../test/support/settled.ts";
import {
  GET,
  hearing,
  OK,
  POST,
  SWITCHING,
  standstill,
  UPGRADE,
  untroubled,
  wireRouter,
} from "../../../../test/support/wire.ts";
import { createWireEngine } from "./index.ts";

untroubled();
const keep = closing();

/** A router whose engine is in the test's hands. */
async function draining(url: string) {
  const test = testPlane({ blue: { weight: 1, targets: [url] } });
  const engine = createWireEngine(test.plane);
  const { port } = await engine.listen({ host: "127.0.0.1", port: 0 });
  const client = keep(await RawClient.connect(port));
  await eventually(() => test.plane.connections === 1);
  return { ...test, engine, client, port };
}

const partial = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";

it.each([
  ["an idle connection", "", "", /^$/, 0],
  ["a head that has begun", "GET / HT", "", /^GET/, 0],
  ["a request that waits", GET, "", /\r\n\r\n$/, 1],
  ["a body on its way", `${POST}Content-Length: 9\r\n\r\nabc`, "", /abc$/, 1],
  ["an answer on its way", GET, partial, /\r\n\r\n$/, 1],
  ["requests that wait behind another", GET + GET, "", /\r\n\r\n$/, 1],
])("cuts %s at once where there is no time", async (_what, sent, answer, reached, lines) => {
  const blue = keep(await hearing((socket) => answer && socket.write(answer)));
  const { plane, engine, client, lines: logged } = await draining(blue.url);
  client.send(sent);
  if (lines > 0) await eventually(() => reached.test(blue.received[0] ?? "-"));
  if (answer) await client.until("abc");
  expect(await engine.drain(0)).toBe(1);
  await client.untilClosed();
  await settled(plane);
  await eventually(() => blue.sockets.size === 0);
  expect(logged).toHaveLength(lines);
});

it("answers what is on its way with Connection: close, and ends idle connections after a grace", async () => {
  const blue = keep(await hearing());
  const { plane, engine, client, port } = await draining(blue.url);
  const idle = keep(await RawClient.connect(port));
  client.send(GET + GET);
  await eventually(() => blue.sockets.size === 1 && plane.connections === 2);
  const drained = engine.drain(60_000);
  await expect(RawClient.connect(port)).rejects.toThrow(/ECONNREFUSED/);
  idle.send(GET);
  await eventually(() => blue.sockets.size === 2);
  for (const socket of blue.sockets) socket.write(OK);
  for (const each of [client, idle]) {
    const text = await each.untilClosed();
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\nConnection: close\r\n[\s\S]*ok$/);
    expect(text.match(/HTTP/g)).toHaveLength(1);
    each.close();
  }
  expect(await drained).toBe(0);
  await settled(plane);
});

it("ends an idle connection after its grace, not before", async () => {
  const blue = keep(await hearing((socket) => socket.write(OK)));
  const { engine, client, plane } = await draining(blue.url);
  client.send(GET);
  await client.until("ok");
  const began = performance.now();
  const drained = engine.drain(60_000);
  expect(await client.untilClosed()).not.toMatch(/close/);
  expect(performance.now() - began).toBeGreaterThan(400);
  client.close();
  expect(await drained).toBe(0);
  await settled(plane);
});

// The answer's head had gone out before, so the client did not know, and its next request was thrown away.
it("answers a request that follows an answer which began before the drain", async () => {
  const blue = keep(
    await hearing((socket, all) => socket.write(/^(?:GET[^G]*){2}/.test(all) ? OK : partial)),
  );
  const { engine, client, plane } = await draining(blue.url);
  client.send(GET);
  await client.until("abc");
  const drained = engine.drain(60_000);
  for (const socket of blue.sockets) socket.write("defghi");
  await client.until("ghi");
  client.send(GET);
  expect(await client.untilClosed()).toMatch(/ghiHTTP\/1\.1 200 [\s\S]*\r\nConnection: close\r\n[\s\S]*ok$/);
  client.close();
  expect(await drained).toBe(0);
  await settled(plane);
});

it("keeps a tunnel until the deadline, and cuts it then", async () => {
  const blue = keep(
    await hearing((socket, all) => socket.write(all.endsWith("\r\n\r\n") ? SWITCHING : "<pong>")),
  );
  const { engine, client, plane, lines } = await draining(blue.url);
  client.send(UPGRADE);
  await client.until("101");
  const drained = engine.drain(1500);
  client.send("ping");
  await client.until("<pong>");
  expect(await drained).toBe(1);
  await client.untilClosed();
  expect(lines).toMatchObject([{ status: 101, outcome: "answered" }]);
  await settled(plane);
});

it("is done when a tunnel ends before the deadline", async () => {
  const blue = keep(await hearing((socket) => socket.write(SWITCHING)));
  const { engine, client, plane } = await draining(blue.url);
  client.send(UPGRADE);
  await client.until("101");
  const drained = engine.drain(60_000);
  client.close();
  expect(await drained).toBe(0);
  await settled(plane);
});

// Such a connection was no longer counted, and so never cut.
it("is done where an answer that broke off is never read", async () => {
  const sent = { bytes: 0 };
  const blue = keep(
    await hearing((socket) => {
      if (sent.bytes > 0) return;
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3000000\r\n");
      const more = () => {
        do sent.bytes += 100_000;
        while (sent.bytes < 40_000_000 && socket.write(Buffer.alloc(100_000)));
      };
      socket.on("drain", more);
      more();
    }),
  );
  const other = keep(await wireRouter(keep(await hearing((socket) => socket.write(OK))).url));
  const { engine, client, plane, lines } = await draining(blue.url);
  client.socket.pause();
  client.send(`${POST}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n`);
  await eventually(() => sent.bytes > 0);
  await standstill(() => sent.bytes, other.url);
  client.send("no chunk\r\n");
  await eventually(() => lines.length === 1);
  expect(plane.connections).toBe(1);
  expect(await engine.drain(0)).toBe(1);
  await settled(plane);
});
