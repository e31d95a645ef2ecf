import type { Socket } from "node:net";
import { expect, it } from "vitest";
import { memoryInUse } from "../../../../test/support/memory.ts";
import { closing, eventually } from "../../../../test/support/open.ts";
import { rawUpstream, upstream } from "../../../../test/support/upstream.ts";
import {
  BulkClient,
  GET,
  POST,
  requestsIn,
  standstill,
  untroubled,
  wireRouter,
} from "../../../../test/support/wire.ts";

// What is written into sockets is counted where it is made, and the process's memory beside it: upstream, router and
// client share it, so it bounds the router's, too.

untroubled();
const keep = closing();

const MB = 1_000_000;
const TOTAL = 200 * MB;
/** More than the system's buffers take, far less than what is sent. */
const MOST = 60 * MB;
const limits = { body: 2 * TOTAL };

/** Writes as fast as the other side reads. */
function flood(socket: Socket, total: number, chunk = Buffer.alloc(256 * 1024, "x")): { sent: number } {
  const state = { sent: 0 };
  const more = () => {
    while (state.sent < total) {
      const piece = chunk.subarray(0, total - state.sent);
      state.sent += piece.length;
      if (!socket.write(piece)) return;
    }
  };
  socket.on("drain", more);
  more();
  return state;
}

/** Counts what it reads and keeps nothing. */
function sink(socket: Socket): { bytes: number } {
  const state = { bytes: 0 };
  socket.on("data", (chunk) => {
    state.bytes += chunk.length;
  });
  return state;
}

/** Bytes that are in use. */
function memory(): number {
  const { arrayBuffers, heapUsed } = memoryInUse();
  return arrayBuffers + heapUsed;
}

async function idleProbe(): Promise<string> {
  const other = keep(await upstream());
  return keep(await wireRouter(other.url)).url;
}

it.each([
  ["by length", `HTTP/1.1 200 OK\r\nContent-Length: ${TOTAL}\r\n\r\n`],
  ["until the close", "HTTP/1.1 200 OK\r\n\r\n"],
])(
  "holds an answer of 200 MB back from a client that does not read, and goes on (%s)",
  async (_how, head) => {
    let flow = { sent: 0 };
    const blue = keep(
      await rawUpstream((socket) => {
        socket.once("data", () => {
          socket.write(head);
          flow = flood(socket, TOTAL);
        });
      }),
    );
    const router = keep(await wireRouter(blue.url));
    const probe = await idleProbe();
    const before = memory();
    const { socket } = keep(await BulkClient.connect(router.port));
    socket.removeAllListeners("data").pause();
    const received = sink(socket);
    socket.pause();
    socket.write(GET);
    await eventually(() => flow.sent > 0);
    expect(await standstill(() => flow.sent, probe)).toBeLessThan(MOST);
    expect(memory() - before).toBeLessThan(MOST);
    socket.resume();
    await eventually(() => received.bytes >= TOTAL);
    expect(memory() - before).toBeLessThan(MOST);
  },
);

it.each(["length", "chunked"])(
  "holds an upload of 200 MB back from an upstream that does not read (%s)",
  async (how) => {
    const sockets: Socket[] = [];
    const blue = keep(await rawUpstream((socket) => sockets.push(socket.pause())));
    const router = keep(await wireRouter(blue.url, { limits }));
    const probe = await idleProbe();
    const before = memory();
    const { socket } = keep(await BulkClient.connect(router.port));
    let flow: { sent: number };
    if (how === "length") {
      socket.write(`${POST}Content-Length: ${TOTAL}\r\n\r\n`);
      flow = flood(socket, TOTAL);
    } else {
      socket.write(`${POST}Transfer-Encoding: chunked\r\n\r\n`);
      const chunk = Buffer.concat([Buffer.from("fff2\r\n"), Buffer.alloc(0xfff2, "x"), Buffer.from("\r\n")]);
      flow = flood(socket, Math.floor(TOTAL / chunk.length) * chunk.length, chunk);
    }
    await eventually(() => sockets.length === 1);
    expect(await standstill(() => flow.sent, probe)).toBeLessThan(MOST);
    expect(memory() - before).toBeLessThan(MOST);
    expect(router.plane.buffered).toBe(0);
    const received = sink(sockets[0]!);
    sockets[0]!.resume();
    await eventually(() => received.bytes > TOTAL * 0.99);
    expect(memory() - before).toBeLessThan(MOST);
    if (how === "chunked") socket.write("0\r\n\r\n");
    sockets[0]!.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    await eventually(() => router.lines.length === 1);
    expect(router.lines).toMatchObject([{ status: 200 }]);
  },
);

it("keeps little of what clients pipeline while they wait", async () => {
  let hits = 0;
  const blue = keep(
    await rawUpstream((socket) => {
      socket.on("data", (chunk) => {
        hits += requestsIn(chunk.toString("latin1"));
      });
    }),
  );
  const router = keep(await wireRouter(blue.url));
  const probe = await idleProbe();
  const before = memory();
  const clients = await Promise.all(Array.from({ length: 50 }, () => BulkClient.connect(router.port)));
  const flows = clients.map((client) => flood(keep(client).socket, 20 * MB, Buffer.from(GET.repeat(2000))));
  await eventually(() => hits === clients.length);
  await standstill(() => flows.reduce((sum, { sent }) => sum + sent, 0), probe);
  expect(memory() - before).toBeLessThan(clients.length * MB);
  expect(hits).toBe(clients.length);
});

it("grows by nothing over thousands of requests that end badly", async () => {
  const blue = keep(
    await rawUpstream((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc"));
    }),
  );
  const router = keep(await wireRouter(blue.url));
  const round = async () => {
    for (let i = 0; i < 500; i++) {
      const client = await BulkClient.connect(router.port);
      client.socket.write(i % 2 === 0 ? GET : `${POST}Content-Length: 9\r\n\r\nabc`);
      await eventually(() => client.socket.readableEnded || client.socket.destroyed);
      client.close();
    }
    await eventually(() => router.plane.connections === 0);
    router.lines.length = 0;
  };
  await round();
  const before = memory();
  for (let i = 0; i < 4; i++) await round();
  expect(memory() - before).toBeLessThan(30 * MB);
});
