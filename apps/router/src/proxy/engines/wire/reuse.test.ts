import type { Socket } from "node:net";
import { expect, it } from "vitest";
import { closing, eventually } from "../../../../test/support/open.ts";
import { testRouter } from "../../../../test/support/plane.ts";
import { RawClient } from "../../../../test/support/raw-client.ts";
import {
  blamed,
  GET,
  hearing,
  OK,
  POST,
  requestsIn,
  untroubled,
  wireRouter,
} from "../../../../test/support/wire.ts";
import { createWireEngine } from "./index.ts";

untroubled();
const keep = closing();

/** An upstream that answers the first request of each connection and does `then` at the second. */
const onSecond = (then: (socket: Socket) => void) =>
  hearing((socket, all) => {
    if (requestsIn(all) === 1) socket.write(OK);
    else then(socket);
  });

async function ask(client: RawClient, request: string, answers: number): Promise<string> {
  client.send(request);
  await eventually(
    () => client.closed || (client.text.match(/(?:ok|\}\n)(?=HTTP|$)/g) ?? []).length >= answers,
  );
  return client.text;
}

it.each([
  ["resets", (socket: Socket) => void socket.resetAndDestroy()],
  ["closes", (socket: Socket) => void socket.end()],
])("repeats a GET once, on a new connection, where a kept one %s", async (_how, then) => {
  const blue = keep(await onSecond(then));
  const router = keep(await wireRouter(blue.url, { retry: { attempts: 0 } }));
  const client = keep(await RawClient.connect(router.port));
  for (let i = 1; i <= 3; i++) expect((await ask(client, GET, i)).match(/HTTP\/1\.1 200/g)).toHaveLength(i);
  expect(blue.received.map(requestsIn)).toEqual([2, 2, 1]);
  expect(blamed(router)).toBe(0);
  expect(router.lines.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
});

it("never sends a POST twice", async () => {
  const blue = keep(await onSecond((socket) => socket.resetAndDestroy()));
  const router = keep(await wireRouter(blue.url));
  const client = keep(await RawClient.connect(router.port));
  await ask(client, GET, 1);
  const text = await ask(client, `${POST}Content-Length: 3\r\n\r\nabc`, 2);
  expect(text).toMatch(/HTTP\/1\.1 502 /);
  expect(blue.received.join("").match(/POST/g)).toHaveLength(1);
});

it("sends a POST on a new connection where the kept one has rested for more than a second", async () => {
  let now = 0;
  const blue = keep(await hearing((socket) => socket.write(OK)));
  const colors = { blue: { weight: 1, targets: [blue.url] } };
  const router = keep(await testRouter(colors, { now: () => now }, createWireEngine));
  const client = keep(await RawClient.connect(router.port));
  const post = `${POST}Content-Length: 0\r\n\r\n`;
  await ask(client, GET, 1);
  now += 900;
  await ask(client, post, 2);
  expect(blue.received).toHaveLength(1);
  now += 1100;
  await ask(client, GET, 3);
  expect(blue.received).toHaveLength(1);
  now += 1100;
  await ask(client, post, 4);
  expect(blue.received.map(requestsIn)).toEqual([3, 1]);
});

it("takes the connection that was used last", async () => {
  const sockets: Socket[] = [];
  const blue = keep(await hearing((socket, _all, i) => sockets.splice(i, 1, socket)));
  const router = keep(await wireRouter(blue.url));
  const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(router.port)));
  for (const [i, client] of clients.map(keep).entries()) {
    client.send(GET);
    await eventually(() => sockets.length === i + 1);
  }
  for (const i of [2, 0, 1]) {
    sockets[i]!.write(OK);
    await clients[i]!.until("ok");
  }
  clients[0]!.send(GET);
  clients[2]!.send(GET);
  await eventually(() => blue.received.map(requestsIn).join() === "2,2,1");
});

it.each([
  [
    "bytes that nobody asked for",
    (socket: Socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
  ],
  ["its end", (socket: Socket) => socket.end()],
])("drops a kept connection that brings %s", async (_what, then) => {
  const blue = keep(await hearing((socket) => socket.write(OK)));
  const colors = { blue: { weight: 1, targets: [blue.url] } };
  const router = keep(await testRouter(colors, { now: () => 0 }, createWireEngine)); // it never grows old
  const client = keep(await RawClient.connect(router.port));
  await ask(client, GET, 1);
  for (const socket of blue.sockets) then(socket);
  await eventually(() => blue.sockets.size === 0);
  expect(await ask(client, GET, 2)).not.toMatch(/evil/);
  expect(blue.received).toHaveLength(2);
  expect(blamed(router)).toBe(0);
});

it.each([
  ["Connection: close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"],
  ["bytes after its answer", `${OK}more`],
])("does not use a connection again after %s", async (_what, answer) => {
  const blue = keep(await hearing((socket) => socket.write(answer)));
  const router = keep(await wireRouter(blue.url));
  const client = keep(await RawClient.connect(router.port));
  await ask(client, GET, 1);
  expect((await ask(client, GET, 2)).match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  expect(blue.received.map(requestsIn)).toEqual([1, 1]);
});

it.each([
  [
    "HTTP/1.0 and keep-alive",
    GET,
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    "ok",
  ],
  [
    "a chunked answer",
    GET,
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "0\r\n\r\n",
  ],
  ["1xx before the answer", GET, `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`, "ok"],
  ["204", GET, "HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\n", "204 No"],
  ["304 with a length", GET, "HTTP/1.1 304 Not\r\nContent-Length: 7\r\n\r\n", "304 Not"],
  [
    "HEAD with a length",
    GET.replace("GET", "HEAD"),
    "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
    "200 OK",
  ],
])("uses a connection again after %s", async (_what, request, answer, mark) => {
  const blue = keep(await hearing((socket) => socket.write(answer)));
  const router = keep(await wireRouter(blue.url));
  const client = keep(await RawClient.connect(router.port));
  for (let i = 1; i <= 2; i++) {
    client.send(request);
    await eventually(() => client.text.split(mark).length === i + 1 && router.lines.length === i);
  }
  expect(blue.received.map(requestsIn)).toEqual([2]);
});

it("ends an answer with too many 1xx, or too many or too large fields, with 502", async () => {
  const many = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(33);
  const fields = Array.from({ length: 501 }, (_, i) => `X-${i}: y\r\n`).join("");
  for (const head of [
    many,
    `HTTP/1.1 200 OK\r\n${fields}`,
    `HTTP/1.1 200 OK\r\nX: ${"y".repeat(66_000)}\r\n`,
  ]) {
    const blue = keep(await hearing((socket) => socket.write(head + (head === many ? OK : "\r\n"))));
    const router = keep(await wireRouter(blue.url));
    const client = keep(await RawClient.connect(router.port));
    client.send(GET);
    expect(await client.until(/\}\n$/)).toMatch(/HTTP\/1\.1 502 /);
    expect(router.lines).toMatchObject([{ outcome: "invalid_response" }]);
  }
});
