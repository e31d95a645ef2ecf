import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../test/conformance/engines.ts";
import { memoryInUse } from "../../../test/support/memory.ts";
import { closing, eventually } from "../../../test/support/open.ts";
import { TEST_CONFIG, type TestRouter, testRouter } from "../../../test/support/plane.ts";
import { RawClient } from "../../../test/support/raw-client.ts";
import { rawUpstream, refusedPort, upstream } from "../../../test/support/upstream.ts";
import { muchLater } from "../../../test/support/wire.ts";
import type { Config } from "../../config/config.ts";

describe.each(ENGINES)("engine $name", ({ create }) => {
  // That every lease, buffered byte and place in flight is given back is checked by the router's close().

  const keep = closing();
  const POST = "POST /x HTTP/1.1\r\nHost: a\r\n";
  const { timeouts, retry, limits } = TEST_CONFIG;

  async function routerFor(url: string, config: Partial<Config> = {}): Promise<TestRouter> {
    return keep(await testRouter({ blue: { weight: 1, targets: [url] } }, { config }, create));
  }

  /** A router whose color of weight refuses connections, with a standby that answers with what it got. */
  async function withStandby(config: Partial<Config>) {
    const green = keep(await upstream((_request, response, body) => response.end(body)));
    const colors = {
      blue: { weight: 1, targets: [`http://127.0.0.1:${await refusedPort()}`] },
      green: { weight: 0, targets: [green.url] },
    };
    const router = keep(await testRouter(colors, { config, snapshot: { standby: "green" } }, create));
    return { green, router };
  }

  it.each([
    ["its head", "POST /x?y HTTP/1.1\r\nX-Request-Id: mine\r\n\r\n", 400, "POST", "/x?y"],
    ["its body", `${POST}X-Request-Id: mine\r\nContent-Length: 99999999\r\n\r\n`, 413, "POST", "/x"],
    ["its method", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nX-Request-Id: mine\r\n\r\n", 405, "CONNECT", "a:1"],
    ["its bytes", "no HTTP\r\n\r\n", 400, "OTHER", ""],
  ])("says and logs the id of a request that is refused for %s", async (_why, text, status, method, path) => {
    const router = await routerFor(`http://127.0.0.1:${await refusedPort()}`);
    const client = await RawClient.connect(router.port);
    client.send(text);
    const [head, body] = (await client.untilClosed()).split("\r\n\r\n");
    const id = /\r\nX-Request-Id: (.+?)(?:\r\n|$)/.exec(head!)?.[1];
    expect(id).toMatch(text.includes("mine") ? /^mine$/ : /^[\da-f-]{36}$/);
    expect(JSON.parse(body!)).toMatchObject({ status, request_id: id });
    expect(router.lines).toMatchObject([
      {
        request_id: id,
        method,
        path,
        status,
        color: "none",
        assigned: "none",
        outcome: "refused",
        attempts: 0,
      },
    ]);
    expect(router.lines[0]).toMatchObject({ client: "127.0.0.1", bytes: body!.length });
  });

  it("cancels the upload when the client goes away in the middle of it", async () => {
    const blue = keep(await rawUpstream((socket) => socket.resume()));
    const router = await routerFor(blue.url);
    const client = await RawClient.connect(router.port);
    client.send(`${POST}Content-Length: 100\r\n\r\nabc`);
    await eventually(() => blue.sockets.size === 1);
    client.close();
    await eventually(() => blue.sockets.size === 0 && router.lines.length === 1);
    expect(router.lines[0]).toMatchObject({ status: 499, outcome: "client_abort" });
    expect(router.plane.colors[0]?.targets[0]?.errors).toBe(0);
  });

  it("cancels the answer when the client goes away in the middle of it", async () => {
    const blue = keep(
      await rawUpstream((socket) =>
        socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")),
      ),
    );
    const router = await routerFor(blue.url);
    const client = await RawClient.connect(router.port);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.until("abc");
    await muchLater(router);
    client.close();
    await eventually(() => blue.sockets.size === 0 && router.lines.length === 1);
    expect(router.lines[0]).toMatchObject({ status: 499, outcome: "client_abort" });
    expect(router.plane.colors[0]?.targets[0]?.errors).toBe(0);
  });

  it("answers 504 where the upstream does not accept a connection", async () => {
    // A thread that listens and then sleeps: once its backlog is full, the kernel answers nobody.
    const gate = new SharedArrayBuffer(4);
    const source = `const { parentPort, workerData } = require("node:worker_threads");
    const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      setImmediate(() => Atomics.wait(new Int32Array(workerData), 0, 0));
    });`;
    const worker = new Worker(source, { eval: true, workerData: gate });
    keep({ close: () => worker.terminate() });
    keep({ close: () => Atomics.notify(new Int32Array(gate), 0) });
    const port = await new Promise<number>((resolve) => worker.once("message", resolve));
    for (let i = 0; i < 2; i++) keep(await RawClient.connect(port));
    const router = await routerFor(`http://127.0.0.1:${port}`, {
      timeouts: { ...timeouts, connect: 50 },
      retry: { ...retry, attempts: 0 },
    });
    expect((await fetch(router.url, { method: "POST", body: "x" })).status).toBe(504);
    expect(router.lines[0]).toMatchObject({ outcome: "connect_timeout" });
  });

  it("sends the whole body elsewhere when a connection is refused", async () => {
    const { router } = await withStandby({});
    const body = "x".repeat(50_000);
    const answer = await fetch(router.url, { method: "POST", body });
    expect(answer.headers.get("x-sluice-color")).toBe("green");
    expect(await answer.text()).toBe(body);
  });

  it.each([true, false])("repeats no body that is larger than the buffer (chunked: %s)", async (chunked) => {
    const { router, green } = await withStandby({ retry: { ...retry, buffer: 1000 } });
    const client = keep(await RawClient.connect(router.port));
    const body = "x".repeat(2000);
    const framed = chunked
      ? `Transfer-Encoding: chunked\r\n\r\n7d0\r\n${body}\r\n0\r\n\r\n`
      : `Content-Length: 2000\r\n\r\n${body}`;
    client.send(`${POST}${framed}`);
    expect(await client.until(/\r\n\r\n\{/)).toMatch(/^HTTP\/1\.1 502 /);
    expect(green.seen).toEqual([]);
  });

  it("keeps no more bodies than buffer_total allows", async () => {
    const { router, green } = await withStandby({ retry: { ...retry, buffer_total: 1000 } });
    expect((await fetch(router.url, { method: "POST", body: "x".repeat(2000) })).status).toBe(502);
    expect(green.seen).toEqual([]);
  });

  it("lets an upload take longer than an answer may", async () => {
    const blue = keep(await upstream((_request, response, body) => response.end(body)));
    const router = await routerFor(blue.url, { timeouts: { ...timeouts, response_header: 300 } });
    const client = keep(await RawClient.connect(router.port));
    client.send(`${POST}Content-Length: 6\r\n\r\nabc`);
    await pause(400); // longer than the time-out that must not strike
    client.send("def");
    expect(await client.until("abcdef")).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("goes on sending the body when the answer begins before its end", async () => {
    const echo = keep(
      await rawUpstream((socket) => {
        let head = "";
        socket.on("data", (chunk) => {
          if (head === "") socket.write("HTTP/1.1 200 OK\r\n\r\n");
          head += chunk.toString("latin1");
          socket.write(`[${chunk.toString("latin1").replace(/^[\s\S]*\r\n\r\n/, "")}]`);
          if (head.endsWith("def")) socket.end();
        });
      }),
    );
    const router = await routerFor(echo.url);
    const client = keep(await RawClient.connect(router.port));
    client.send(`${POST}Content-Length: 6\r\n\r\nabc`);
    await client.until("[abc]");
    client.send("def");
    await client.until("[def]");
  });

  it("does not lose an early answer to a client that goes on sending", async () => {
    const router = await routerFor("http://127.0.0.1:1", { limits: { ...limits, body: 1000 } });
    const client = keep(await RawClient.connect(router.port));
    client.socket.pause();
    client.send(`${POST}Content-Length: 20000000\r\n\r\n`);
    await new Promise((resolve) => client.socket.write(Buffer.alloc(8_000_000), resolve));
    client.socket.resume();
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 413 [\s\S]*\}\n$/);
    expect(client.reset).toBe(false);
  });

  it("reads an upstream no faster than the client", async () => {
    let sent = 0;
    const total = 200 * 1024 * 1024;
    const chunk = Buffer.alloc(256 * 1024);
    const blue = keep(
      await rawUpstream((socket) => {
        const more = () => {
          while (sent < total) {
            sent += chunk.length;
            if (!socket.write(chunk)) return;
          }
        };
        socket.on("drain", more);
        socket.once("data", () => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
          more();
        });
      }),
    );
    const other = keep(await upstream());
    const router = await routerFor(blue.url);
    const probe = await routerFor(other.url);
    const client = keep(await RawClient.connect(router.port));
    client.socket.pause();
    const held = memoryInUse().arrayBuffers; // of the tests before this one
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    // Other requests are the clock: it has stopped when many of them change nothing.
    let before = -1;
    while (sent !== before || sent === 0) {
      before = sent;
      for (let i = 0; i < 30; i++) await (await fetch(probe.url)).text();
    }
    expect(sent).toBeLessThan(total / 4);
    expect(memoryInUse().arrayBuffers - held).toBeLessThan(total / 4);
  });

  it("ends a reader that takes nothing for as long as a stream may be idle", async () => {
    const blue = keep(await upstream((_request, response) => response.end(Buffer.alloc(50 * 1024 * 1024))));
    const router = await routerFor(blue.url, { timeouts: { ...timeouts, stream_idle: 1000 } });
    const client = keep(await RawClient.connect(router.port));
    client.socket.pause();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await eventually(() => router.lines.length === 1);
    expect(router.lines[0]).toMatchObject({ outcome: "client_abort", status: 499 });
    expect(router.plane.colors[0]?.targets[0]?.errors).toBe(0);
  });

  it("refuses a connection over the limit and leaves the others alone", async () => {
    const blue = keep(await upstream());
    const router = await routerFor(blue.url, { limits: { ...limits, connections: 2 } });
    const first = keep(await RawClient.connect(router.port));
    const second = keep(await RawClient.connect(router.port));
    await eventually(() => router.plane.connections === 2);
    const third = keep(await RawClient.connect(router.port));
    expect(await third.untilClosed()).toBe("");
    for (const client of [first, second]) {
      client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      expect(await client.until("ok")).toMatch(/^HTTP\/1\.1 200 /);
    }
  });

  it("sends the first event of a stream at once", async () => {
    const blue = keep(
      await upstream((_request, response) => {
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        response.write("data: 1\n\n");
      }),
    );
    const router = await routerFor(blue.url);
    const client = keep(await RawClient.connect(router.port));
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.until("data: 1\n\n");
  });

  it("sends a head at once, though no body follows yet", async () => {
    const blue = keep(await upstream((_request, response) => response.flushHeaders()));
    const router = await routerFor(blue.url);
    const client = keep(await RawClient.connect(router.port));
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.until("\r\n\r\n");
  });

  it("ends an upstream that is given up while it reads nothing", async () => {
    const server = keep(createServer({ pauseOnConnect: true }));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const router = await routerFor(`http://127.0.0.1:${port}`, {
      timeouts: { ...timeouts, response_header: 100 },
      limits: { ...limits, body: 100_000_000 },
    });
    const client = keep(await RawClient.connect(router.port));
    client.send(`${POST}Content-Length: 50000000\r\n\r\n`);
    client.socket.write(Buffer.alloc(50_000_000));
    expect(await client.until(/\r\n\r\n\{/)).toMatch(/^HTTP\/1\.1 504 /);
  });
});
