import { describe, expect, it } from "vitest";
import { closing, eventually } from "../../../../test/support/open.ts";
import { RawClient } from "../../../../test/support/raw-client.ts";
import { upstream } from "../../../../test/support/upstream.ts";
import {
  BulkClient,
  blamed,
  GET,
  hearing,
  POST,
  untroubled,
  wireRouter,
} from "../../../../test/support/wire.ts";

untroubled();
const keep = closing();

/** Sends a byte each time that the clock of the event loop has gone on a little, until the connection ends. */
async function drip(client: RawClient, text: string): Promise<string> {
  const timer = setInterval(() => client.send(text), 10);
  const all = await client.untilClosed();
  clearInterval(timer);
  return all;
}

describe("a client that is slow", () => {
  it("in its first head is ended, however often a byte comes", async () => {
    const router = keep(
      await wireRouter({ blue: { weight: 1, targets: [] } }, { timeouts: { client_header: 150 } }),
    );
    const client = keep(await RawClient.connect(router.port));
    client.send("GET / HTTP/1.1\r\nX: ");
    expect(await drip(client, "x")).toMatch(/^HTTP\/1\.1 408 [\s\S]*client_header/);
    await eventually(() => router.plane.connections === 0);
  });

  it("in its second head is ended, from that head's first byte on", async () => {
    const blue = keep(await upstream());
    const router = keep(await wireRouter(blue.url, { timeouts: { client_header: 150, keepalive: 100_000 } }));
    const client = keep(await RawClient.connect(router.port));
    client.send(GET);
    await client.until("ok");
    client.send("GET / HTTP/1.1\r\nX: ");
    expect(await drip(client, "x")).toMatch(/HTTP\/1\.1 408 [^\r]*\r\n/);
    expect(blue.seen).toHaveLength(1);
  });

  it("and sends nothing but empty lines is ended without an answer", async () => {
    const router = keep(
      await wireRouter({ blue: { weight: 1, targets: [] } }, { timeouts: { client_header: 150 } }),
    );
    const client = keep(await RawClient.connect(router.port));
    expect(await drip(client, "\r\n")).toBe("");
  });

  it("between two requests is ended without an answer", async () => {
    const blue = keep(await upstream());
    const router = keep(await wireRouter(blue.url, { timeouts: { keepalive: 100 } }));
    const client = keep(await RawClient.connect(router.port));
    client.send(GET);
    expect((await client.untilClosed()).match(/HTTP/g)).toHaveLength(1);
  });

  it("in its body may be so for long, while each read comes in time", async () => {
    const blue = keep(await upstream((_request, response, body) => response.end(`<${body.length}>`)));
    const router = keep(await wireRouter(blue.url, { timeouts: { client_body: 200 } }));
    const client = keep(await RawClient.connect(router.port));
    const began = performance.now();
    client.send(`${POST}Transfer-Encoding: chunked\r\n\r\n`);
    const timer = setInterval(() => {
      client.send("1\r\nx\r\n");
      if (performance.now() - began < 600) return;
      clearInterval(timer);
      client.send("0\r\n\r\n");
    }, 20);
    expect(await client.until(/<\d+>/)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each([
    ["length", "Content-Length: 9\r\n\r\nabc"],
    ["chunked", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
    ["chunked, in a chunk", "Transfer-Encoding: chunked\r\n\r\n9\r\nabc"],
    ["chunked, in the trailers", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y"],
  ])("and stops in its body is ended (%s)", async (_how, body) => {
    const blue = keep(await hearing());
    const router = keep(await wireRouter(blue.url, { timeouts: { client_body: 100 } }));
    const client = keep(await RawClient.connect(router.port));
    client.send(POST + body);
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 408 [\s\S]*\r\nConnection: close\r\n/);
    await eventually(() => blue.sockets.size === 0);
    expect(router.lines).toMatchObject([{ status: 408, outcome: "body_timeout" }]);
    expect(blamed(router)).toBe(0);
  });

  it("and never takes its last answer is ended by the time-out of a stream", async () => {
    const blue = keep(await upstream((_request, response) => response.end(Buffer.alloc(30_000_000))));
    const router = keep(await wireRouter(blue.url, { timeouts: { stream_idle: 200 } }));
    const client = keep(await BulkClient.connect(router.port));
    client.socket.pause();
    client.socket.end(GET);
    await eventually(() => router.plane.connections === 0);
    expect(router.lines).toMatchObject([{ status: 499, outcome: "client_abort" }]);
    expect(blamed(router)).toBe(0);
  });
});

// One time-out took the place of the other, and then none was left.
describe("a client that sends a body and does not read the answer", () => {
  const config = {
    timeouts: { stream_idle: 300, client_body: 300, response_header: 300 },
    limits: { body: 1e9 },
  };

  it("is ended where the target sends everything back", async () => {
    const blue = keep(await hearing((socket, all) => all.includes("\r\n\r\n") && socket.pause()));
    blue.received.length = 0;
    const echo = keep(
      await hearing((socket, all) => {
        if (all.length > 70_000) return;
        socket.removeAllListeners("data");
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.pipe(socket);
      }),
    );
    const router = keep(await wireRouter(echo.url, config));
    const client = keep(await BulkClient.connect(router.port));
    client.socket.pause();
    client.socket.write(`${POST}Content-Length: 100000000\r\n\r\n`);
    client.socket.write(Buffer.alloc(100_000_000));
    await eventually(() => router.plane.connections === 0 && echo.sockets.size === 0);
    expect(router.lines).toMatchObject([{ status: 499, outcome: "client_abort" }]);
    expect(blamed(router)).toBe(0);
  });

  it("is ended where its body ends while the answer waits for it", async () => {
    let flooded = false;
    const blue = keep(
      await hearing((socket) => {
        if (flooded) return;
        flooded = true;
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.write(Buffer.alloc(50_000_000));
      }),
    );
    const router = keep(await wireRouter(blue.url, config));
    const client = keep(await BulkClient.connect(router.port));
    client.socket.pause();
    client.socket.write(`${POST}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n`);
    await eventually(() => flooded);
    const timer = setInterval(() => client.socket.write("1\r\nx\r\n"), 20);
    setTimeout(() => {
      clearInterval(timer);
      client.socket.write("0\r\n\r\n");
    }, 200);
    await eventually(() => router.plane.connections === 0);
    clearInterval(timer);
    expect(router.lines).toMatchObject([{ outcome: "client_abort" }]);
    expect(blamed(router)).toBe(0);
  });
});

describe("a target that is slow", () => {
  it("to read is answered for once it has taken nothing for as long as an answer may take", async () => {
    const blue = keep(await hearing((socket) => socket.pause()));
    const router = keep(
      await wireRouter(blue.url, { timeouts: { response_header: 200 }, limits: { body: 1e9 } }),
    );
    const client = keep(await RawClient.connect(router.port));
    client.send(`${POST}Content-Length: 100000000\r\n\r\n`);
    client.socket.write(Buffer.alloc(100_000_000));
    expect(await client.until(/\r\n\r\n\{/)).toMatch(/^HTTP\/1\.1 504 /);
    await eventually(() => router.lines.length === 1);
    expect(router.lines).toMatchObject([{ outcome: "response_timeout" }]);
    expect(blamed(router)).toBe(1);
  });

  it.each([
    ["in its head", "HTTP/1.1 200 OK\r\nContent-Le", 504, "response_timeout"],
    ["after 1xx", "HTTP/1.1 103 Early Hints\r\n\r\n", 504, "response_timeout"],
    ["in its body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 200, "stream_timeout"],
    ["in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", 200, "stream_timeout"],
  ])("%s is charged", async (_where, answer, status, outcome) => {
    const blue = keep(await hearing((socket) => socket.write(answer)));
    const router = keep(await wireRouter(blue.url, { timeouts: { response_header: 100, stream_idle: 100 } }));
    const client = keep(await RawClient.connect(router.port));
    client.send(GET);
    await eventually(() => router.lines.length === 1);
    expect(router.lines).toMatchObject([{ status, outcome }]);
    expect(blamed(router)).toBe(1);
  });
});
