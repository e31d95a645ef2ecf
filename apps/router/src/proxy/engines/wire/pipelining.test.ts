import { expect, it } from "vitest";
import { closing, eventually } from "../../../../test/support/open.ts";
import { testRouter } from "../../../../test/support/plane.ts";
import { RawClient } from "../../../../test/support/raw-client.ts";
import { upstream } from "../../../../test/support/upstream.ts";
import {
  BulkClient,
  blamed,
  hearing,
  OK,
  standstill,
  untroubled,
  wireRouter,
} from "../../../../test/support/wire.ts";
import { createWireEngine } from "./index.ts";

untroubled();
const keep = closing();

const get = (i: number) => `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** An upstream that answers with the request's path, filled up before to `size` characters. */
const echo = (size = 0) =>
  upstream((request, response) => response.end(`<${request.url}>`.padStart(size, ".")));

// A paused socket was resumed before what it had read was looked at, so later requests came first.
it("answers in order, however much is pipelined at once", async () => {
  const blue = keep(await echo());
  const router = keep(await wireRouter(blue.url));
  const client = keep(await BulkClient.connect(router.port));
  const count = 10_000;
  client.socket.write(Array.from({ length: count }, (_, i) => get(i)).join(""));
  await client.until(`</${count - 1}>`);
  const answers = [...client.text.matchAll(/<\/(\d+)>/g)].map((match) => Number(match[1]));
  expect(answers).toEqual(Array.from({ length: count }, (_, i) => i));
  expect(blue.seen.map(({ url }) => url)).toEqual(answers.map((i) => `/${i}`));
});

it("answers pipelined requests with bodies in order", async () => {
  const blue = keep(await upstream((_request, response, body) => response.end(`<${body}>`)));
  const router = keep(await wireRouter(blue.url));
  const client = keep(await BulkClient.connect(router.port));
  const count = 2000;
  const bodies = Array.from({ length: count }, (_, i) => `${i}`.padStart(100, "0"));
  client.socket.write(
    bodies.map((body) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n${body}`).join(""),
  );
  await client.until(`<${bodies.at(-1)}>`);
  expect([...client.text.matchAll(/<(\d+)>/g)].map((match) => match[1])).toEqual(bodies);
});

it("answers what is pipelined and closed in one go", async () => {
  const blue = keep(await echo());
  const router = keep(await wireRouter(blue.url));
  const client = keep(await RawClient.connect(router.port));
  client.socket.end(get(0) + get(1) + get(2));
  const text = await client.untilClosed();
  expect([...text.matchAll(/<\/(\d)>/g)].map((match) => match[1])).toEqual(["0", "1", "2"]);
  expect(client.reset).toBe(false);
});

// A turn or two of the event loop decided, so it was a matter of luck.
it("answers a client that closes its half a moment after its request", async () => {
  let answer = () => {};
  let now = 0;
  const blue = keep(
    await hearing((socket) => {
      answer = () => void socket.write(OK);
    }),
  );
  const other = keep(await wireRouter(keep(await echo()).url));
  const colors = { blue: { weight: 1, targets: [blue.url] } };
  const router = keep(await testRouter(colors, { now: () => now }, createWireEngine));
  const client = keep(await RawClient.connect(router.port));
  client.send(get(0));
  await eventually(() => blue.received.length === 1);
  now += 10;
  client.socket.end();
  for (let i = 0; i < 10; i++) await (await fetch(other.url)).text(); // by now the end has been read
  answer();
  expect(await client.untilClosed()).toMatch(/ok$/);
  expect(router.lines).toMatchObject([{ status: 200 }]);
});

it.each([
  ["a head", "GET / HTTP/1.1\r\nHo"],
  ["a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"],
])("waits for nothing more where a closed client has left %s unfinished", async (_what, part) => {
  const blue = keep(await echo());
  const router = keep(await wireRouter(blue.url));
  const client = keep(await RawClient.connect(router.port));
  client.socket.end(get(0) + part);
  expect((await client.untilClosed()).match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200"]);
  await eventually(() => router.plane.connections === 0);
  expect(blamed(router)).toBe(0);
});

// Every answer went into the socket's memory, and no time-out ran.
it.each([
  ["all at once", true],
  ["one by one", false],
])("ends a client that sends requests %s and reads no answers", async (_how, atOnce) => {
  const blue = keep(await echo(15_000));
  const router = keep(await wireRouter(blue.url, { timeouts: { stream_idle: 300 } }));
  const client = keep(await RawClient.connect(router.port));
  client.socket.pause();
  const count = 4000;
  if (atOnce) client.send(Array.from({ length: count }, (_, i) => get(i)).join(""));
  for (let i = 0; i < count && !atOnce && router.plane.connections > 0; i++) {
    client.send(get(i));
    await eventually(() => blue.seen.length > i || router.plane.connections === 0);
  }
  await eventually(() => router.plane.connections === 0);
  expect(blue.seen.length).toBeLessThan(count / 2);
  expect(blamed(router)).toBe(0);
});

it("goes on where a client that read nothing reads again", async () => {
  const blue = keep(await echo(15_000));
  const other = keep(await echo());
  const router = keep(await wireRouter(blue.url));
  const probe = keep(await wireRouter(other.url));
  const client = keep(await BulkClient.connect(router.port));
  client.socket.pause();
  const count = 2000;
  client.socket.write(Array.from({ length: count }, (_, i) => get(i)).join(""));
  await eventually(() => blue.seen.length > 0);
  expect(await standstill(() => blue.seen.length, probe.url)).toBeLessThan(count);
  client.socket.resume();
  const text = await client.until(`</${count - 1}>`);
  const answers = [...text.matchAll(/<\/(\d+)>/g)].map((match) => Number(match[1]));
  expect(answers).toEqual(Array.from({ length: count }, (_, i) => i));
});
