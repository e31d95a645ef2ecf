import { createServer as createHttp1Server } from "node:http";
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../../../test/conformance/engines.ts";
import { closing, eventually } from "../../../../../test/support/open.ts";
import { TEST_CONFIG, type TestRouter, testRouter } from "../../../../../test/support/plane.ts";
import { RawClient } from "../../../../../test/support/raw-client.ts";
import { upstream as http1Upstream, refusedPort } from "../../../../../test/support/upstream.ts";
import { standstill, untroubled } from "../../../../../test/support/wire.ts";
import type { Config } from "../../../../config/config.ts";

const CANCEL = 8;

interface Target {
  readonly url: string;
  readonly sockets: Set<Socket>;
  readonly seen: Seen[];
  close(): void;
}

interface Seen {
  readonly headers: IncomingHttpHeaders;
  body: Buffer;
  trailers: IncomingHttpHeaders | undefined;
  aborted: boolean;
  closed: boolean;
}

type Answer = (stream: ServerHttp2Stream, seen: Seen) => void;

const ok: Answer = (stream) => {
  stream.respond({ ":status": 200, "content-length": 2 });
  stream.end("ok");
};

/** A target that speaks HTTP/2 alone. `early` answers once a head has come, else `answer` once a request is whole. */
async function h2c({ answer = ok, early }: { answer?: Answer; early?: Answer } = {}): Promise<Target> {
  const server = createServer();
  const sockets = new Set<Socket>();
  const all: Seen[] = [];
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  server.on("stream", (stream, headers) => {
    const seen: Seen = { headers, body: Buffer.alloc(0), trailers: undefined, aborted: false, closed: false };
    all.push(seen);
    const chunks: Buffer[] = [];
    stream.on("error", () => {});
    stream.on("close", () => {
      seen.closed = true;
      seen.aborted = stream.rstCode === CANCEL;
    });
    stream.on("trailers", (trailers) => {
      seen.trailers = trailers;
    });
    if (early) return early(stream, seen);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      seen.body = Buffer.concat(chunks);
      if (!stream.aborted) answer(stream, seen);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { url: `h2c://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, seen: all, close };
}

const GET = "GET /a?b HTTP/1.1\r\nHost: a\r\n";
const POST = "POST /a HTTP/1.1\r\nHost: a\r\n";

describe.each(ENGINES)(
  "an HTTP/1.1 client of a target that speaks HTTP/2 alone, by engine $name",
  (engine) => {
    untroubled();
    const keep = closing();
    const relaysTrailers = engine.name === "wire";

    async function routerFor(targets: readonly string[], config: Partial<Config> = {}): Promise<TestRouter> {
      // a connection may take its time on a busy machine
      const timeouts = { ...TEST_CONFIG.timeouts, connect: 20_000, ...config.timeouts };
      const whole = { ...config, timeouts };
      return keep(await testRouter({ blue: { weight: 1, targets } }, { config: whole }, engine.create));
    }

    async function scene(options: Parameters<typeof h2c>[0] = {}, config: Partial<Config> = {}) {
      const target = keep(await h2c(options));
      const router = await routerFor([target.url], config);
      const client = keep(await RawClient.connect(router.port));
      return { target, router, client };
    }

    it("is answered, on a connection that goes on", async () => {
      const { target, client } = await scene();
      for (let i = 0; i < 3; i++)
        client.send(`${GET}X-A: 1\r\nConnection: x-b\r\nX-B: 2\r\nTE: trailers\r\n\r\n`);
      const text = await client.until(/(?:HTTP\/1\.1 200 OK[\s\S]*?\r\n\r\nok){3}/);
      expect(text).toMatch(/\r\nx-sluice-color: blue\r\n/i);
      expect(text).not.toMatch(/connection: close/i);
      const { headers } = target.seen[0]!;
      expect(headers).toMatchObject({
        ":method": "GET",
        ":path": "/a?b",
        ":authority": "a",
        ":scheme": "http",
      });
      expect(headers).toMatchObject({ "x-a": "1", "x-forwarded-for": "127.0.0.1" });
      for (const name of ["connection", "x-b", "host", "keep-alive"])
        expect(headers).not.toHaveProperty(name);
      expect(target.sockets.size).toBe(1);
    });

    it("sends bodies of either framing, and trailers where the engine can", async () => {
      const { target, client } = await scene({ answer: (stream, { body }) => stream.end(body) });
      client.send(`${POST}Content-Length: 3\r\n\r\nabc`);
      await client.until("abc");
      client.send(`${POST}Transfer-Encoding: chunked\r\n\r\n3\r\ndef\r\n2\r\ngh\r\n0\r\nX-T: 1\r\n\r\n`);
      await client.until(/defgh/);
      expect(target.seen.map(({ body }) => body.toString())).toEqual(["abc", "defgh"]);
      expect(target.seen[0]!.headers["content-length"]).toBe("3");
      expect(target.seen[1]!.headers).not.toHaveProperty("transfer-encoding");
      expect(target.seen[1]!.trailers?.["x-t"]).toBe(relaysTrailers ? "1" : undefined);
    });

    it("reads answers of every shape", async () => {
      const { client } = await scene({
        answer(stream, { headers }) {
          const path = headers[":path"];
          if (path === "/204") stream.respond({ ":status": 204 }, { endStream: true });
          else if (path === "/304") stream.respond({ ":status": 304, etag: "e" }, { endStream: true });
          else if (path === "/empty") stream.respond({ ":status": 200 }, { endStream: true });
          else if (path === "/early") {
            stream.additionalHeaders({ ":status": 103, link: "</a>" });
            ok(stream, undefined as never);
          } else {
            stream.respond({ ":status": 200, "set-cookie": ["a=1", "b=2"] }, { waitForTrailers: true });
            stream.on("wantTrailers", () => stream.sendTrailers({ "x-t": "1" }));
            stream.end("streamed");
          }
        },
      });
      const ask = async (line: string, end: RegExp) => {
        const before = client.text.length;
        client.send(`${line} HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n`);
        await client.until(new RegExp(`^[\\s\\S]{${before}}[\\s\\S]*?${end.source}`));
        return client.text.slice(before);
      };
      expect(await ask("GET /204", /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 204 (?![\s\S]*content-length)/i);
      expect(await ask("GET /304", /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 304 [\s\S]*etag: e/i);
      expect(await ask("GET /empty", /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 200 [\s\S]*content-length: 0\r\n/i);
      expect(await ask("HEAD /head", /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 200 /);
      const early = await ask("GET /early", /\r\n\r\nok/);
      if (engine.name === "wire") expect(early).toMatch(/^HTTP\/1\.1 103 [\s\S]*link: <\/a>/i);
      const streamed = await ask("GET /streamed", /\r\n0\r\n(?:x-t: 1\r\n)?\r\n/);
      expect(streamed).toMatch(
        /set-cookie: a=1\r\n[\s\S]*set-cookie: b=2\r\n[\s\S]*\r\n8\r\nstreamed\r\n0\r\n/i,
      );
      if (relaysTrailers) expect(streamed).toMatch(/\r\n0\r\nx-t: 1\r\n\r\n$/);
    });

    it("has a HEAD's length, and a large body whole", async () => {
      const body = Buffer.alloc(3_000_000, "0123456789");
      const { client, router } = await scene({
        answer(stream, { headers }) {
          stream.respond({ ":status": 200, "content-length": body.length });
          if (headers[":method"] === "HEAD") stream.end();
          else stream.end(body);
        },
      });
      client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
      expect(await client.until(/\r\n\r\n/)).toMatch(/content-length: 3000000\r\n/i);
      expect(Buffer.from(await (await fetch(router.url)).arrayBuffer()).equals(body)).toBe(true);
    });

    it("sends a large body whole, and no faster than the target reads", async () => {
      let taken: ServerHttp2Stream | undefined;
      const total = 30_000_000;
      const { client, router } = await scene(
        {
          early(stream) {
            taken = stream;
          },
        },
        { limits: { ...TEST_CONFIG.limits, body: total } },
      );
      const probe = keep(await http1Upstream());
      const clock = await routerFor([probe.url]);
      client.send(`${POST}Content-Length: ${total}\r\n\r\n`);
      client.socket.write(Buffer.alloc(total));
      await eventually(() => taken !== undefined);
      await standstill(() => client.socket.bytesWritten - client.socket.writableLength, clock.url);
      expect(client.socket.writableLength).toBeGreaterThan(total / 2);
      expect(router.plane.buffered).toBeLessThan(1_000_000);
      let got = 0;
      taken!.on("data", (chunk: Buffer) => {
        got += chunk.length;
      });
      taken!.on("end", () => ok(taken!, undefined as never));
      await client.until("\r\n\r\nok");
      expect(got).toBe(total);
    });

    it("is sent no more than it reads", async () => {
      const total = 100_000_000;
      let sent = 0;
      const chunk = Buffer.alloc(65_536);
      const { client } = await scene({
        answer(stream) {
          stream.respond({ ":status": 200 });
          const more = () => {
            while (sent < total && !stream.destroyed) {
              sent += chunk.length;
              if (!stream.write(chunk)) return;
            }
          };
          stream.on("drain", more);
          more();
        },
      });
      const probe = keep(await http1Upstream());
      const clock = await routerFor([probe.url]);
      client.socket.pause();
      client.send(`${GET}\r\n`);
      await eventually(() => sent > 0);
      expect(await standstill(() => sent, clock.url)).toBeLessThan(total / 4);
    });

    it("that goes away cancels its request at the target, which keeps its connection", async () => {
      const { target, client, router } = await scene({ early: () => {} });
      client.send(`${POST}Content-Length: 9\r\n\r\nabc`);
      await eventually(() => target.seen.length === 1);
      client.close();
      await eventually(() => target.seen[0]!.aborted && router.lines.length === 1);
      expect(router.lines[0]).toMatchObject({ status: 499, outcome: "client_abort" });
      expect(router.plane.colors[0]!.targets[0]!.errors).toBe(0);
      expect(target.sockets.size).toBe(1);
    });

    it("gets an early answer, and the rest of its request is not waited for", async () => {
      const { target, client } = await scene({
        early: (stream) => stream.respond({ ":status": 413 }, { endStream: true }),
      });
      client.send(`${POST}Content-Length: 9\r\n\r\nabc`);
      expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/i);
      await eventually(() => target.seen[0]!.closed);
    });

    it.each<[string, Answer, number, string]>([
      ["resets the stream", (stream) => stream.close(2), 502, "reset"],
      ["refuses the stream", (stream) => stream.close(7), 503, "refused"],
      ["ends its connection", (stream) => stream.session!.destroy(), 502, "reset"],
      ["says nothing", () => {}, 504, "response_timeout"],
    ])("is told when the target %s", async (_, answer, status, outcome) => {
      const config = {
        retry: { ...TEST_CONFIG.retry, attempts: 0 },
        timeouts: { ...TEST_CONFIG.timeouts, connect: 20_000, response_header: 100 },
      };
      const { router } = await scene({ answer }, config);
      expect((await fetch(router.url, { method: "POST", body: "x" })).status).toBe(status);
      expect(router.lines[0]).toMatchObject({ status, outcome });
    });

    it.each<[string, Answer]>([
      ["resets the stream", (stream) => stream.destroy(new Error("broken"))],
      ["ends its connection", (stream) => stream.session!.destroy()],
    ])("sees that an answer is not whole when the target %s in it", async (_, breakOff) => {
      const answer: Answer = (stream, seen) => {
        stream.respond({ ":status": 200 });
        stream.write("abc", () => setImmediate(() => breakOff(stream, seen)));
      };
      const { router, client } = await scene({ answer });
      client.send(`${GET}\r\n`);
      expect(await client.untilClosed()).not.toMatch(/\r\n0\r\n/);
      await eventually(() => router.lines.length === 1);
      expect(router.lines[0]).toMatchObject({ outcome: "truncated" });
    });

    it("sees a silence amid an answer as one of the target's", async () => {
      const answer: Answer = (stream) => {
        stream.respond({ ":status": 200 });
        stream.write("abc");
      };
      const { router, client } = await scene(
        { answer },
        { timeouts: { ...TEST_CONFIG.timeouts, connect: 20_000, stream_idle: 200 } },
      );
      client.send(`${GET}\r\n`);
      await client.untilClosed();
      await eventually(() => router.lines.length === 1);
      expect(router.lines[0]).toMatchObject({ outcome: "stream_timeout" });
    });

    it("is told when nobody listens there, or something that speaks no HTTP/2", async () => {
      const plain = createHttp1Server((_, response) => response.end());
      keep({ close: () => plain.close() });
      await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
      const { port } = plain.address() as AddressInfo;
      const retry = { ...TEST_CONFIG.retry, attempts: 0 };
      const dead = await routerFor([`h2c://127.0.0.1:${await refusedPort()}`], { retry });
      expect((await fetch(dead.url)).status).toBe(502);
      expect(dead.lines[0]).toMatchObject({ outcome: "connect_failed" });
      const other = await routerFor([`h2c://127.0.0.1:${port}`], { retry });
      expect((await fetch(other.url, { method: "POST", body: "x" })).status).toBe(502);
      expect(other.lines[0]).toMatchObject({ outcome: "invalid_response" });
    });

    it("has its request sent on between targets of either protocol, body and all", async () => {
      for (const dead of ["h2c", "http"]) {
        const alive = keep(dead === "http" ? await h2c() : await http1Upstream());
        const targets = [`${dead}://127.0.0.1:${await refusedPort()}`, alive.url];
        const router = await routerFor(targets);
        for (let i = 0; i < 8; i++) {
          const answer = await fetch(router.url, { method: "POST", body: "whole" });
          expect(await answer.text()).toBe("ok");
        }
        expect(alive.seen.map(({ body }) => body.toString())).toEqual(Array(8).fill("whole"));
        expect(router.lines.some(({ attempts }) => attempts === 2)).toBe(true);
      }
    });

    it("loses nothing when the target asks its connection to end", async () => {
      let asked = 0;
      const { router, target } = await scene({
        answer(stream) {
          if (++asked % 3 === 0) stream.session!.close();
          ok(stream, undefined as never);
        },
      });
      for (let i = 0; i < 20; i++) {
        const answer = await fetch(router.url, { method: "POST", body: "x" });
        expect([answer.status, await answer.text()]).toEqual([200, "ok"]);
      }
      expect(target.seen.length).toBe(20);
    });

    it("shares connections with others", async () => {
      const { router, target } = await scene();
      await Promise.all(Array.from({ length: 60 }, async () => (await fetch(router.url)).text()));
      expect(target.seen.length).toBe(60);
      expect(target.sockets.size).toBe(1);
    });

    it("that asks for WebSocket is answered as if it had not", async () => {
      const { client, target } = await scene();
      client.send(`${GET}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n`);
      expect(await client.until(/\r\n\r\nok|502/)).toMatch(/^HTTP\/1\.1 200 /);
      expect(target.seen[0]!.headers).not.toHaveProperty("upgrade");
    });
  },
);
