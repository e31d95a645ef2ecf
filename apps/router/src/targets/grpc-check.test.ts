import { createServer as createHttpServer } from "node:http";
import {
  createServer as createHttp2Server,
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { TestAuthority } from "../../test/support/certificates.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { PLAIN_UPSTREAM } from "../tls/material.ts";
import { Dialer } from "./dialer.ts";
import { type ProbeConfig, targetProbe } from "./probe.ts";

const config: ProbeConfig = { path: undefined, grpc: "taxi.Fares", timeout: 1000, status: [[200, 299]] };
const SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 1]);
const GRPC = { ":status": 200, "content-type": "application/grpc" };
const authority = await TestAuthority.create();
const pair = await authority.issue();
const sockets = new Set<Socket>();
const servers: Server[] = [];
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server, scheme = "h2c"): Promise<string> {
  servers.push(server);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: Buffer) => void;

/** An HTTP/2 server that answers once a request is whole. */
function target(answer: Answer, scheme?: string): Promise<string> {
  const server = createHttp2Server();
  server.on("stream", (stream, headers) => {
    const body: Buffer[] = [];
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => body.push(chunk));
    stream.on("end", () => answer(stream, headers, Buffer.concat(body)));
  });
  return listen(server as unknown as Server, scheme);
}

/** A message, and the trailers after it. */
function call(message: Buffer, trailers: Readonly<Record<string, string>> = { "grpc-status": "0" }): Answer {
  return (stream) => {
    stream.respond(GRPC, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end(message);
  };
}

/** gRPC's answer without a message. */
const refusal = (status: string, message?: string): Answer => {
  const fields = message === undefined ? {} : { "grpc-message": message };
  return (stream) => stream.respond({ ...GRPC, "grpc-status": status, ...fields }, { endStream: true });
};

const check = (url: string, changes: Partial<ProbeConfig> = {}, clock = new FakeClock()) =>
  targetProbe(clock)(url, { ...config, ...changes }, new AbortController().signal);

describe("a check by gRPC", () => {
  it("asks the health service for the service, and passes when it serves", async () => {
    const seen: unknown[] = [];
    const url = await target((stream, headers, body) => {
      seen.push(headers[":method"], headers[":path"], headers[":authority"], headers["content-type"]);
      seen.push(headers.te, headers["grpc-timeout"], body.toString("latin1"));
      call(SERVING)(stream, headers, body);
    });
    expect(await check(url)).toMatchObject({ ok: true, detail: "SERVING" });
    expect(seen).toEqual([
      "POST",
      "/grpc.health.v1.Health/Check",
      url.slice("h2c://".length),
      "application/grpc+proto",
      "trailers",
      "1000m",
      "\0\0\0\0\x0c\x0a\x0ataxi.Fares",
    ]);
  });

  it("asks for the whole server by an empty name, and also of a target with HTTP/1.1", async () => {
    let message: Buffer | undefined;
    const url = await target((stream, headers, body) => {
      message = body;
      call(SERVING)(stream, headers, body);
    }, "http");
    expect((await check(url, { grpc: "" })).ok).toBe(true);
    expect(message).toEqual(Buffer.alloc(5));
  });

  it("learns what the target serves, from its headers", async () => {
    const identity = { "x-model-version": "1.0.1", "x-model-digest": "a".repeat(500) };
    const url = await target((stream) =>
      stream.respond({ ...GRPC, ...identity, "grpc-status": "5" }, { endStream: true }),
    );
    expect(await check(url)).toMatchObject({ ok: false, version: "1.0.1", digest: "a".repeat(128) });
  });

  it.each<[string, Answer]>([
    ["gRPC: NOT_SERVING", call(Buffer.from([0, 0, 0, 0, 2, 8, 2]))],
    ["gRPC: UNKNOWN", call(Buffer.alloc(5))],
    ["gRPC: SERVICE_UNKNOWN", call(Buffer.from([0, 0, 0, 0, 2, 8, 3]))],
    ["gRPC: a serving status of 9", call(Buffer.from([0, 0, 0, 0, 2, 8, 9]))],
    [
      "gRPC: UNIMPLEMENTED: the target has no health service (grpc.health.v1)",
      refusal("12", "no such thing"),
    ],
    ['gRPC: NOT_FOUND: the health service does not know "taxi.Fares"', refusal("5")],
    ["gRPC: UNAVAILABLE: 100% tired ✓", refusal("14", "100%25 tired %E2%9C%93")],
    ["gRPC: INTERNAL: 100%", refusal("13", "100%")],
    ["gRPC: UNAUTHENTICATED", refusal("16")],
    ["gRPC: status 99", refusal("99")],
    [`gRPC: INTERNAL: ${"a".repeat(200)}…`, refusal("13", "a".repeat(1000))],
    // a status after a message that says otherwise
    ["gRPC: INTERNAL: broke", call(SERVING, { "grpc-status": "13", "grpc-message": "broke" })],
    ["gRPC: the answer holds no HealthCheckResponse", call(Buffer.alloc(0))],
    ["gRPC: the answer holds no HealthCheckResponse", call(SERVING.subarray(0, 6))],
    ["gRPC: the answer holds no HealthCheckResponse", call(Buffer.concat([SERVING, SERVING]))],
    ["gRPC: the answer holds no HealthCheckResponse", call(Buffer.from([1, 0, 0, 0, 2, 8, 1]))],
    ["gRPC: the answer holds no HealthCheckResponse", call(Buffer.from([0, 0, 0, 0, 2, 10, 200]))],
    ["gRPC: an answer of more than 4096 bytes", call(Buffer.alloc(1_000_000))],
    ["gRPC: the answer has no grpc-status", (stream) => stream.respond(GRPC, { endStream: true })],
    [
      "gRPC: the answer is 200 with text/html; expected 200 with application/grpc",
      (stream) => {
        stream.respond({ ":status": 200, "content-type": "text/html" });
        stream.end("<html>");
      },
    ],
    [
      "gRPC: the answer is 404 with nothing; expected 200 with application/grpc",
      (stream) => stream.respond({ ":status": 404 }, { endStream: true }),
    ],
    ["gRPC: refused over HTTP/2 (REFUSED_STREAM)", (stream) => stream.close(7)],
    ["gRPC: refused over HTTP/2 (11)", (stream) => stream.session?.goaway(11)],
    ["gRPC: connection closed without an answer", (stream) => stream.session?.destroy()],
    [
      "gRPC: connection closed without an answer",
      (stream) => {
        stream.respond(GRPC);
        stream.write(SERVING, () => stream.session?.destroy());
      },
    ],
  ])("says %j", async (detail, answer) => {
    expect(await check(await target(answer))).toMatchObject({ ok: false, detail });
  });

  it("fails for a server of HTTP/1.1 alone, and says so", async () => {
    const url = await listen(createHttpServer((_, response) => response.end()));
    expect(await check(url)).toMatchObject({
      ok: false,
      detail: "gRPC: what answers does not speak HTTP/2",
    });
  });

  it.each(["", "SSH-2.0-OpenSSH_9.9\r\n"])("fails for what answers %j and closes", async (text) => {
    const url = await listen(createServer((socket) => socket.once("data", () => socket.end(text))));
    const { ok, detail } = await check(url);
    expect(ok).toBe(false);
    expect(detail).toBe(
      text ? "gRPC: what answers does not speak HTTP/2" : "gRPC: connection closed without an answer",
    );
  });

  it("fails when nobody listens, and says so", async () => {
    const server = createServer();
    const url = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await check(url)).toMatchObject({ ok: false, detail: "gRPC: connection refused" });
  });

  it.each<[string, (socket: Socket) => void]>([
    ["accepts and says nothing", () => {}],
    // SETTINGS, and their acknowledgment
    [
      "says no more than its settings",
      (socket) => socket.write("\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0"),
    ],
  ])("fails when the target %s, after the time-out, and closes", async (_what, speak) => {
    const clock = new FakeClock();
    const accepted = Promise.withResolvers<Socket>();
    const url = await listen(
      createServer((socket) => {
        speak(socket);
        accepted.resolve(socket);
      }),
    );
    const result = check(url, {}, clock);
    const socket = await accepted.promise;
    const closed = new Promise((resolve) => socket.on("close", resolve).resume());
    await clock.advance(1000);
    expect(await result).toMatchObject({ ok: false, detail: "no answer within 1s" });
    await closed;
    expect(clock.timers).toBe(0);
  });

  it("ends at once when it is aborted", async () => {
    const accepted = Promise.withResolvers<Socket>();
    const url = await listen(createServer((socket) => accepted.resolve(socket)));
    const stop = new AbortController();
    const result = targetProbe(new FakeClock())(url, config, stop.signal);
    const socket = await accepted.promise;
    const closed = new Promise((resolve) => socket.on("close", resolve).resume());
    stop.abort();
    expect((await result).ok).toBe(false);
    await closed;
  });
});

describe("a check by gRPC inside TLS", () => {
  /** The check by somebody who trusts `ca`. */
  function ask(url: string, ca: string) {
    const dialer = new Dialer();
    dialer.use({ ...PLAIN_UPSTREAM, ca });
    return targetProbe(new FakeClock(), dialer)(url, config, new AbortController().signal);
  }

  /** A health service: what it was asked by, and what its check says. */
  async function scene(ca: string) {
    const server = createSecureServer(pair);
    const asked: (string | false | null)[] = [];
    server.on("stream", (stream) => {
      asked.push((stream.session!.socket as TLSSocket).alpnProtocol);
      stream.on("error", () => {}).resume();
      call(SERVING)(stream, {}, Buffer.alloc(0));
    });
    const url = await listen(server as unknown as Server, "https");
    return { asked, result: await ask(url, ca) };
  }

  it("passes a target that the control plane's rules believe, over HTTP/2 by ALPN", async () => {
    const { asked, result } = await scene(authority.cert);
    expect(result).toMatchObject({ ok: true, detail: "SERVING" });
    expect(asked).toEqual(["h2"]);
  });

  it("fails for one that they do not believe, and asks it nothing", async () => {
    const { asked, result } = await scene((await TestAuthority.create("Stranger")).cert);
    expect(result.ok).toBe(false);
    expect(result.detail).toMatch(/authority that is not trusted/);
    expect(asked).toEqual([]);
  });

  // Node aborts the process where a socket is destroyed before its session has taken it over.
  it.each<[string, TlsOptions, RegExp]>([
    ["knows no ALPN", {}, /^gRPC: what answers does not speak HTTP\/2 inside TLS$/],
    ["agrees on HTTP/1.1 alone", { ALPNProtocols: ["http/1.1"] }, /^gRPC: TLS could not be agreed on/],
  ])("fails for one that %s, and says so", async (_, options, why) => {
    const server = createTlsServer({ ...pair, ...options }, (socket) => {
      socket.on("error", () => {}).resume();
    });
    const result = await ask(await listen(server, "https"), authority.cert);
    expect(result.detail).toMatch(why);
    expect(result.ok).toBe(false);
  });
});

describe("a check by path of a target that speaks HTTP/2 alone", () => {
  const byPath = { path: "/health/ready", grpc: undefined };

  it("goes over HTTP/2, on a connection that is closed after the answer's head", async () => {
    const seen: unknown[] = [];
    const closed = Promise.withResolvers<void>();
    const url = await target((stream, headers) => {
      stream.session?.on("close", closed.resolve);
      seen.push(headers[":method"], headers[":path"], headers[":authority"]);
      stream.respond({ ":status": 200, "x-model-version": "1.0.0" });
      const more = () => {
        while (!stream.destroyed && stream.write("x".repeat(65_536)));
      };
      stream.on("drain", more);
      more();
    });
    const result = await check(url, { ...byPath, path: "//ready?a=%2F" });
    expect(result).toMatchObject({ ok: true, detail: "200 OK", version: "1.0.0" });
    expect(seen).toEqual(["GET", "//ready?a=%2F", url.slice("h2c://".length)]);
    await closed.promise;
  });

  it("judges the last answer's status, not an interim one's", async () => {
    const url = await target((stream) => {
      stream.additionalHeaders({ ":status": 103, link: "</a>" });
      stream.respond({ ":status": 503 }, { endStream: true });
    });
    expect(await check(url, byPath)).toMatchObject({ ok: false, detail: "503 Service Unavailable" });
  });

  it("fails for a server of HTTP/1.1 alone, and says so", async () => {
    const url = await listen(createHttpServer((_, response) => response.end()));
    expect(await check(url, byPath)).toMatchObject({
      ok: false,
      detail: "what answers does not speak HTTP/2",
    });
  });
});

describe("a check by path and gRPC", () => {
  const both = { path: "/ready" };
  const answering = (status: number, grpc: Answer) =>
    target((stream, headers, body) => {
      if (headers[":path"] !== "/ready") return grpc(stream, headers, body);
      stream.respond({ ":status": status }, { endStream: true });
    });

  it.each<[number, Answer, boolean, string]>([
    [200, call(SERVING), true, "200 OK, SERVING"],
    [503, call(SERVING), false, "503 Service Unavailable"],
    [200, refusal("14"), false, "gRPC: UNAVAILABLE"],
    [503, refusal("14"), false, "503 Service Unavailable, gRPC: UNAVAILABLE"],
  ])("answered %i and so on passes only if both do", async (status, grpc, ok, detail) => {
    expect(await check(await answering(status, grpc), both)).toMatchObject({ ok, detail });
  });

  it("is over when one is silent for too long", async () => {
    const clock = new FakeClock();
    const asked = Promise.withResolvers<void>();
    const url = await answering(200, () => asked.resolve());
    const result = check(url, both, clock);
    await asked.promise;
    await clock.advance(1000);
    expect(await result).toMatchObject({ ok: false, detail: "no answer within 1s" });
  });
});
