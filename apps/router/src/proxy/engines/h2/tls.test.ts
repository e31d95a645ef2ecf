import { connect } from "node:http2";
import { ChannelCredentials } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../../test/conformance/engines.ts";
import { serverMaterial, TestAuthority } from "../../../../test/support/certificates.ts";
import { echoClient, grpcEcho } from "../../../../test/support/grpc-echo.ts";
import { answerOf } from "../../../../test/support/http2-client.ts";
import { closing, eventually } from "../../../../test/support/open.ts";
import { TEST_TLS, testRouter } from "../../../../test/support/plane.ts";
import { upstream } from "../../../../test/support/upstream.ts";

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
