import { expect, it } from "vitest";
import { closing, eventually } from "../../../../test/support/open.ts";
import { testPlane } from "../../../../test/support/plane.ts";
import { RawClient } from "../../../../test/support/raw-client.ts";
import { request } from "../../../../test/support/requests.ts";
import { upstream } from "../../../../test/support/upstream.ts";
import { blamed, hearing, OK, POST, untroubled, wireRouter } from "../../../../test/support/wire.ts";
import { RequestBody } from "./request-body.ts";

untroubled();
const keep = closing();

const framings = {
  length: (body: string) => `Content-Length: ${body.length}\r\n\r\n${body}`,
  chunked: (body: string) =>
    `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
};

// The body's first bytes came before there was a target, were not kept, and so went nowhere.
it.each(["length", "chunked"] as const)(
  "carries a body that comes with its head and is too large to keep (%s)",
  async (framing) => {
    const blue = keep(await upstream((_request, response, body) => response.end(body)));
    const router = keep(
      await wireRouter(blue.url, { retry: { buffer: 1000 }, timeouts: { client_body: 500 } }),
    );
    const client = keep(await RawClient.connect(router.port));
    const body = "0123456789".repeat(2000);
    client.send(`${POST}${framings[framing](body)}`);
    await client.until(/\r\n\r\n[\s\S]*89(?:\r\n0\r\n\r\n)?$/);
    expect(blue.seen[0]?.body.toString()).toBe(body);
  },
);

it.each(["length", "chunked"] as const)(
  "carries a body for which buffer_total has no room (%s)",
  async (framing) => {
    const blue = keep(await upstream((_request, response, body) => response.end(body)));
    const router = keep(
      await wireRouter(blue.url, { retry: { buffer_total: 10 }, timeouts: { client_body: 500 } }),
    );
    const client = keep(await RawClient.connect(router.port));
    client.send(`${POST}${framings[framing]("0123456789abcdef")}`);
    await client.until("cdef");
    expect(blue.seen[0]?.body.toString()).toBe("0123456789abcdef");
  },
);

it("does not send a body again of which a part was not kept", async () => {
  const blue = keep(await hearing((socket) => socket.resetAndDestroy()));
  const green = keep(await upstream());
  const colors = { blue: { weight: 1, targets: [blue.url] }, green: { weight: 0, targets: [green.url] } };
  const router = keep(await wireRouter(colors, { retry: { buffer: 10 } }));
  const client = keep(await RawClient.connect(router.port));
  client.send(`PUT / HTTP/1.1\r\nHost: a\r\n${framings.chunked("0123456789abcdef")}`);
  expect(await client.until(/\}\n$/)).toMatch(/^HTTP\/1\.1 502 /);
  expect(green.seen).toEqual([]);
  expect(router.plane.buffered).toBe(0);
});

// A megabyte of chunks of one byte was a million pieces to keep and three million to write.
it("keeps a body of tiny chunks in about as many bytes as it has", async () => {
  const blue = keep(await hearing());
  const router = keep(await wireRouter(blue.url, { retry: { buffer: 1 << 20 } }));
  const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(router.port)));
  const before = process.memoryUsage().heapUsed;
  const size = 100_000;
  for (const client of clients.map(keep)) {
    client.send(`${POST}Transfer-Encoding: chunked\r\n\r\n${"1\r\na\r\n".repeat(size)}`);
  }
  await eventually(() => router.plane.buffered === clients.length * size);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(40e6);
  for (const client of clients) client.close();
  await eventually(() => router.lines.length === clients.length);
  expect(blamed(router)).toBe(0);
});

it("keeps small pieces together, whatever reads they come in", () => {
  const { plane } = testPlane({ blue: { weight: 1, targets: [] } });
  const exchange = plane.begin(request());
  const pieces: number[] = [];
  const sink = { onPiece: (piece: Buffer) => pieces.push(piece.length), onBodyEnd() {}, onBodyFault() {} };
  const body = new RequestBody(plane, exchange, "chunked", 0, sink);
  const sent = Array.from({ length: 20_000 }, (_, i) => String.fromCharCode(97 + (i % 26)));
  for (const character of sent) body.read(Buffer.from(`1;x\r\n${character}\r\n`), 0);
  body.read(Buffer.from(`1388\r\n${"z".repeat(5000)}\r\n1\r\na\r\n1\r\nb\r\n`), 0);
  expect(Buffer.concat(body.kept).toString()).toBe(`${sent.join("")}${"z".repeat(5000)}ab`);
  expect(body.kept.length).toBeLessThan(10);
  expect(pieces.slice(-2)).toEqual([1, 5002]);
  expect(plane.buffered).toBe(25_002);
  body.drop();
  expect(plane.buffered).toBe(0);
  exchange.finish(200, "answered", 0);
});

it("relays the trailers of a request, but for the forbidden ones", async () => {
  const blue = keep(await hearing((socket, all) => all.endsWith("\r\n\r\n") && socket.write(OK)));
  const router = keep(await wireRouter(blue.url));
  const client = keep(await RawClient.connect(router.port));
  const trailers = "X-Sum: 7\r\nHost: evil\r\nAuthorization: x\r\nX-Sluice-Color: green\r\n";
  client.send(
    `${POST}TE: gzip, trailers\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n`,
  );
  await eventually(() => blue.received[0]?.endsWith("3\r\nabc\r\n") === true);
  client.send(`${trailers}\r\n`);
  await client.until("ok");
  expect(blue.received[0]).toMatch(/\r\nTE: trailers\r\nConnection: TE\r\n/);
  expect(blue.received[0]).toMatch(/\r\n0\r\nX-Sum: 7\r\n\r\n$/);
});

it("sends trailers again with the body when the first target fails", async () => {
  const blue = keep(await hearing((socket, all) => all.endsWith("\r\n\r\n") && socket.resetAndDestroy()));
  const green = keep(await hearing((socket, all) => all.endsWith("X-Sum: 7\r\n\r\n") && socket.write(OK)));
  const colors = { blue: { weight: 1, targets: [blue.url] }, green: { weight: 0, targets: [green.url] } };
  const router = keep(await wireRouter(colors));
  const client = keep(await RawClient.connect(router.port));
  client.send(
    "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n",
  );
  expect(await client.until("ok")).toMatch(/\r\nX-Sluice-Color: green\r\n/);
});

it("relays the trailers of an answer, but for the forbidden ones, and none to HTTP/1.0", async () => {
  const answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\n";
  const blue = keep(
    await hearing((socket) =>
      socket.write(`${answer}X-Sum: 7\r\nSet-Cookie: a=b\r\nX-Sluice-Color: x\r\n\r\n`),
    ),
  );
  const router = keep(await wireRouter(blue.url));
  const client = keep(await RawClient.connect(router.port));
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(await client.until("0\r\n")).toMatch(/\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n$/);
  const old = keep(await RawClient.connect(router.port));
  old.send("GET / HTTP/1.0\r\n\r\n");
  expect(await old.untilClosed()).toMatch(/\r\n\r\nabc$/);
});

it("answers once with 100, and with 100 alone, until the body comes", async () => {
  const blue = keep(await hearing((socket, all) => all.endsWith("abc") && socket.write(OK)));
  const router = keep(await wireRouter(blue.url));
  const client = keep(await RawClient.connect(router.port));
  client.send(`${POST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`);
  expect(await client.until("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  expect(await client.until("ok")).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
});

it("asks for no body of an expecting client where there is no target", async () => {
  const router = keep(await wireRouter({ blue: { weight: 1, targets: [] } }));
  const client = keep(await RawClient.connect(router.port));
  client.send(`${POST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`);
  expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nConnection: close\r\n/);
});

it("closes after a final answer to an expecting client that never sent its body", async () => {
  const blue = keep(
    await hearing((socket) => socket.write("HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno")),
  );
  const router = keep(await wireRouter(blue.url));
  const client = keep(await RawClient.connect(router.port));
  client.send(`${POST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`);
  expect(await client.untilClosed()).toMatch(/HTTP\/1\.1 417 No[\s\S]*\r\nConnection: close\r\n[\s\S]*no$/);
  await eventually(() => blue.sockets.size === 0);
});
