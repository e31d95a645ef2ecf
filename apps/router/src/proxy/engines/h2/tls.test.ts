import { connect, createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { createServer, type TlsOptions } from "node:tls";
import { ChannelCredentials, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../../test/conformance/engines.ts";
import { serverMaterial, TestAuthority } from "../../../../test/support/certificates.ts";
import { echoClient, grpcEcho } from "../../../../test/support/grpc-echo.ts";
import { PREFACE, readFrames, TYPE } from "../../../../test/support/http2/frames.ts";
import { answerOf } from "../../../../test/support/http2-client.ts";
import { closing, eventually } from "../../../../test/support/open.ts";
import { TEST_TLS, testRouter } from "../../../../test/support/plane.ts";
import { upstream } from "../../../../test/support/upstream.ts";
import { PLAIN_UPSTREAM } from "../../../tls/material.ts";

const open = closing();
const authority = await TestAuthority.create();
const pair = await authority.issue({ names: ["localhost", "127.0.0.1"] });

describe.each(ENGINES)("HTTP/2 inside TLS ($name)", ({ create }) => {
  async function scene(url: string) {
    const config = { tls: TEST_TLS };
    const material = serverMaterial([pair]);
    return open(await testRouter({ blue: { weight: 1, targets: [url] } }, { config, material }, create));
  }

  it("is chosen by ALPN, and says https to targets", async () => {
    const target = open(await upstream());
    const router = await scene(target.url);
    const session = connect(`https://127.0.0.1:${router.port}`, { ca: authority.cert });
    open({ close: () => session.destroy() });
    const answer = await answerOf(session.request({ ":path": "/" }));
    expect([session.alpnProtocol, answer.status, answer.body]).toEqual(["h2", 200, "ok"]);
    expect(target.seen[0]!.headers["x-forwarded-proto"]).toBe("https");
    expect(router.plane.connections).toBe(1);
    session.close();
    await eventually(() => router.plane.connections === 0);
  });

  it("carries gRPC calls", async () => {
    const target = open(await grpcEcho());
    const router = await scene(target.url);
    const credentials = ChannelCredentials.createSsl(Buffer.from(authority.cert));
    const calls = open(echoClient(router.port, {}, credentials));
    expect((await calls.unary("secret")).value?.toString()).toBe("secret");
  });
});

describe.each(ENGINES)("gRPC calls to targets inside TLS ($name)", ({ create }) => {
  async function scene(url: string, ca = authority.cert) {
    const material = { server: undefined, upstream: { ...PLAIN_UPSTREAM, ca } };
    const router = open(await testRouter({ blue: { weight: 1, targets: [url] } }, { material }, create));
    return { router, calls: open(echoClient(router.port)) };
  }

  it("go over HTTP/2 by ALPN, on one connection", async () => {
    const target = open(await grpcEcho({}, {}, pair));
    const { calls } = await scene(target.url);
    expect(target.url).toMatch(/^https:/);
    const answers = await Promise.all(["a", "b", "c"].map((text) => calls.unary(text)));
    expect(answers.map(({ value, error }) => value?.toString() ?? error)).toEqual(["a", "b", "c"]);
  });

  it("are not sent to one that cannot be believed", async () => {
    const seen: string[] = [];
    const target = open(await grpcEcho({ unary: (call) => void seen.push(call.getPath()) }, {}, pair));
    const { calls, router } = await scene(target.url, (await TestAuthority.create("Stranger")).cert);
    expect((await calls.unary("a")).error?.code).toBe(status.UNAVAILABLE);
    expect(seen).toEqual([]);
    await eventually(() => router.lines.length === 1);
    expect(router.lines[0]).toMatchObject({ outcome: "tls_failed", grpc_status: status.UNAVAILABLE });
  });

  // With TLS 1.3 a server says so after the client's part of the handshake is done.
  it("are told of one that wants a certificate which the router has not", async () => {
    const server = createSecureServer({ ...pair, requestCert: true, ca: authority.cert });
    server.on("session", (session) => session.on("error", () => {}));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    open(server);
    const { calls, router } = await scene(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect((await calls.unary("a")).error?.code).toBe(status.UNAVAILABLE);
    await eventually(() => router.lines.length === 1);
    expect(router.lines[0]).toMatchObject({ outcome: "tls_failed" });
  });

  it.each<[string, TlsOptions]>([
    ["knows no ALPN", {}],
    ["agrees on HTTP/1.1 alone", { ALPNProtocols: ["http/1.1"] }],
  ])("are not sent to one that %s", async (_, tls) => {
    let received = Buffer.alloc(0);
    const server = createServer({ ...pair, ...tls }, (socket) => {
      socket.on("error", () => {});
      socket.on("data", (bytes) => {
        received = Buffer.concat([received, bytes]);
        socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    open(server);
    const { calls, router } = await scene(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect((await calls.unary("a")).error?.code).toBe(status.UNAVAILABLE);
    await eventually(() => router.lines.length === 1);
    expect(router.lines[0]).toMatchObject({ outcome: "tls_failed" });
    // a session opens before it can be told of the protocol
    const { frames } = readFrames(received.subarray(PREFACE.length));
    expect(frames.filter(({ type }) => type === TYPE.HEADERS || type === TYPE.DATA)).toEqual([]);
  });
});
