import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { type ProbeConfig, targetProbe } from "./probe.ts";

const config: ProbeConfig = { path: "/health/ready", grpc: undefined, timeout: 1000, status: [[200, 299]] };
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections?.();
    server.close();
  }
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const target = (answer: RequestListener) => listen(createServer(answer));
const check = (url: string, changes: Partial<ProbeConfig> = {}, clock = new FakeClock()) =>
  targetProbe(clock)(url, { ...config, ...changes }, new AbortController().signal);

describe("a check", () => {
  it("asks for the path, byte for byte, on a connection of its own", async () => {
    const seen: (string | undefined)[] = [];
    const url = await target((request, response) => {
      seen.push(request.url, request.headers.connection, request.headers.host);
      response.end();
    });
    expect(await check(url, { path: "//ready?a=%2F" })).toMatchObject({ ok: true, detail: "200 OK" });
    expect(seen).toEqual(["//ready?a=%2F", "close", url.slice("http://".length)]);
  });

  it.each([
    [200, [[200, 299]], true, "200 OK"],
    [204, [[200, 299]], true, "204 No Content"],
    [503, [[200, 299]], false, "503 Service Unavailable"],
    [
      404,
      [
        [200, 299],
        [404, 404],
      ],
      true,
      "404 Not Found",
    ],
    [299, [[200, 298]], false, "299"],
  ] as const)("of status %i with ranges %j passes: %s", async (status, ranges, ok, detail) => {
    const url = await target((_, response) => response.writeHead(status).end());
    expect(await check(url, { status: ranges })).toMatchObject({ ok, detail });
  });

  it("takes a redirect as the answer, and follows it nowhere", async () => {
    let hits = 0;
    const url = await target((_, response) => {
      hits++;
      response.writeHead(302, { Location: "/elsewhere" }).end();
    });
    expect(await check(url)).toMatchObject({ ok: false, detail: "302 Found" });
    expect(hits).toBe(1);
  });

  it("reads the answer's head alone, however long the body is", async () => {
    let closed: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const url = await target((_, response) => {
      response.on("close", closed);
      response.writeHead(200);
      const write = () => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", write);
      write();
    });
    expect((await check(url)).ok).toBe(true);
    await gone;
  });

  it("fails when nobody listens, and says so", async () => {
    const server = createServer();
    const url = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await check(url)).toMatchObject({ ok: false, detail: "connection refused" });
  });

  it("fails when the target accepts and says nothing, after the time-out, and closes", async () => {
    const clock = new FakeClock();
    let accepted: (socket: Socket) => void = () => {};
    const connection = new Promise<Socket>((resolve) => {
      accepted = resolve;
    });
    const url = await listen(createTcpServer((socket) => accepted(socket)) as unknown as Server);
    const result = check(url, {}, clock);
    const socket = await connection;
    await clock.advance(1000);
    expect(await result).toMatchObject({ ok: false, detail: "no answer within 1s" });
    await new Promise((resolve) =>
      socket
        .on("error", () => {})
        .on("close", resolve)
        .resume(),
    );
    expect(clock.timers).toBe(0);
  });

  it.each(["", "HTTP/9 nonsense\r\n\r\n"])("fails when the target answers %j and closes", async (text) => {
    const url = await listen(
      createTcpServer((socket) => socket.on("error", () => {}).end(text)) as unknown as Server,
    );
    expect((await check(url)).ok).toBe(false);
  });

  it("learns what the target serves, from its headers", async () => {
    const headers = { "X-Model-Version": "1.0.1", "X-Model-Digest": "a".repeat(500) };
    const url = await target((_, response) => response.writeHead(503, headers).end());
    expect(await check(url)).toMatchObject({ ok: false, version: "1.0.1", digest: "a".repeat(128) });
  });

  it("ends at once when it is aborted", async () => {
    const url = await target(() => {});
    const stop = new AbortController();
    const result = targetProbe(new FakeClock())(url, config, stop.signal);
    stop.abort();
    expect((await result).ok).toBe(false);
  });
});
