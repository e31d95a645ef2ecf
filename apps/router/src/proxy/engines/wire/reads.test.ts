import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { expect, it } from "vitest";
import { closing, eventually } from "../../../../test/support/open.ts";
import { rawUpstream } from "../../../../test/support/upstream.ts";
import { BulkClient, hearing, OK, untroubled, wireRouter } from "../../../../test/support/wire.ts";
import { lasting, Reads, readInto } from "./reads.ts";

untroubled();
const keep = closing();

/** A connection as the engine accepts it, and what was read from it. */
async function accepted() {
  const shared = Buffer.allocUnsafeSlow(65_536);
  const pieces: Buffer[] = [];
  const read = { bytes: 0, shared: 0, most: 0 };
  const reads = new Reads(shared, (bytes) => {
    pieces.push(Buffer.from(bytes));
    read.bytes += bytes.length;
    if (bytes.buffer === shared.buffer) read.shared += bytes.length;
    read.most = Math.max(read.most, bytes.length);
  });
  const server: Server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const connection = once(server, "connection") as Promise<[Socket]>;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as { port: number }).port, "127.0.0.1");
  const [original] = await connection;
  const own = readInto(original, reads);
  own.on("data", () => {});
  keep({ close: () => void client.destroy() });
  keep({ close: () => void own.destroy() });
  keep({ close: () => void server.close() });
  return { server, client, original, own, reads, read, all: () => Buffer.concat(pieces) };
}

it("reads what a client sends into the shared buffer", async () => {
  const { client, original, own, read, all } = await accepted();
  expect(own).not.toBe(original); // else Node has changed what readInto relies on
  client.write("hello");
  await eventually(() => read.bytes === 5);
  expect(read.shared).toBe(5);
  expect(all().toString()).toBe("hello");
});

it("gives a large body a larger buffer of its own", async () => {
  const { client, read, all } = await accepted();
  const body = Buffer.from(Uint32Array.from({ length: 2 ** 20 }, (_, i) => i).buffer);
  client.write(body);
  await eventually(() => read.bytes === body.length);
  expect(read.shared).toBeLessThan(65_536);
  expect(read.most).toBeGreaterThan(65_536);
  expect(all().equals(body)).toBe(true);
});

it("counts for the server until it is closed", async () => {
  const { server, client, own } = await accepted();
  let closed = false;
  server.close(() => {
    closed = true;
  });
  expect(await new Promise((resolve) => server.getConnections((_, count) => resolve(count)))).toBe(1);
  client.end("x");
  await once(own, "end");
  expect(closed).toBe(false);
  own.end();
  await eventually(() => closed);
});

it("copies what a socket may not have written before more is read", () => {
  const small = Buffer.alloc(65_535);
  const filling = Buffer.alloc(65_536); // whoever writes it pauses until it has been taken
  expect(lasting(small).buffer).not.toBe(small.buffer);
  expect(lasting(filling)).toBe(filling);
});

/** An upload's body that no other one has. */
const bodyOf = (letter: string) => letter.repeat(4_000_000);

it("keeps uploads apart that are read at the same time", async () => {
  const received = new Map<Socket, string[]>();
  const upstream = await rawUpstream((socket) => {
    const pieces: string[] = [];
    received.set(socket, pieces);
    socket.on("data", (chunk) => {
      pieces.push(chunk.toString("latin1"));
      socket.pause(); // it is slow, so that much waits to be written
      setImmediate(() => socket.resume());
      if (pieces.join("").endsWith("end")) socket.write(OK);
    });
  });
  keep(upstream);
  const router = keep(await wireRouter(upstream.url));
  const letters = ["a", "b", "c", "d"];
  const clients = await Promise.all(letters.map(() => BulkClient.connect(router.port)));
  for (const [i, letter] of letters.entries()) {
    const body = `${bodyOf(letter)}end`;
    clients[i]!.socket.write(
      `POST /${letter} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  }
  await Promise.all(clients.map((client) => client.until("ok")));
  const bodies = [...received.values()].map((pieces) => pieces.join("").split("\r\n\r\n")[1]);
  expect(bodies.toSorted()).toEqual(letters.map((letter) => `${bodyOf(letter)}end`));
  for (const client of clients) client.close();
});

it("sends a second attempt the body as it came, whatever was read since", async () => {
  const body = "x".repeat(5000);
  const put = (path: string) => `PUT ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n`;
  const upstream = await hearing((socket, all, connection) => {
    if (connection > 0 && all.length > 5000) socket.write(OK);
  });
  keep(upstream);
  const router = keep(await wireRouter(upstream.url));
  const [first, second] = [await BulkClient.connect(router.port), await BulkClient.connect(router.port)];
  first.socket.write(put("/first") + body);
  await eventually(() => upstream.received[0]?.endsWith(body) === true);
  second.socket.write(put("/second") + "y".repeat(5000));
  await second.until("ok");
  for (const socket of [...upstream.sockets].slice(0, 1)) socket.resetAndDestroy();
  await first.until("ok");
  const attempts = upstream.received
    .join("")
    .split("PUT /")
    .filter((all) => all.startsWith("first"));
  expect(attempts.map((all) => all.split("\r\n\r\n")[1])).toEqual([body, body]);
  for (const client of [first, second]) client.close();
});
