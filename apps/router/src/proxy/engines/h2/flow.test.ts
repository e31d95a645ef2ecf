import type { ServerResponse } from "node:http";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../../test/conformance/engines.ts";
import { echoClient, grpcEcho } from "../../../../test/support/grpc-echo.ts";
import { answerOf, http2Client } from "../../../../test/support/http2-client.ts";
import { closing, eventually } from "../../../../test/support/open.ts";
import { TEST_CONFIG, testRouter } from "../../../../test/support/plane.ts";
import { type Answer, upstream } from "../../../../test/support/upstream.ts";
import type { Gate } from "../../../core/gate.ts";

const keep = closing();
const pause: Gate = { kind: "pause", max: 1000, timeout: 60_000, until: Date.now() + 600_000 };
const maintenance: Gate = { kind: "maintenance", message: "Back at noon.", retryAfter: 120 };

describe.each(ENGINES)("HTTP/2 while requests are held, and after a flip ($name)", ({ create }) => {
  async function scene(gate: Gate | undefined, answer?: Answer) {
    const target = keep(await upstream(answer));
    const [up, none] = [
      { weight: 1, targets: [target.url] },
      { weight: 0, targets: [target.url] },
    ];
    const timeouts = { ...TEST_CONFIG.timeouts, tunnel_drain: 0 };
    const router = keep(
      await testRouter({ blue: up, green: none }, { config: { timeouts }, snapshot: { gate } }, create),
    );
    const client = keep(http2Client(router.url));
    const set = (next: Gate | undefined) => router.serve({ blue: up, green: none }, { gate: next });
    const flip = () => router.serve({ blue: none, green: up });
    const none_ = () => router.plane.report().colors.none!;
    return { target, router, client, set, flip, held: () => none_().held, gated: () => none_().gated };
  }

  it("streams wait side by side, and go on in order", async () => {
    const test = await scene(pause);
    const all = Array.from({ length: 50 }, (_, i) => test.client.send({ ":path": `/${i}` }));
    await eventually(() => test.held() === 50);
    expect(test.target.seen).toHaveLength(0);
    test.set(undefined);
    expect((await Promise.all(all)).every(({ status: code, body }) => code === 200 && body === "ok")).toBe(
      true,
    );
    expect(test.gated()).toEqual({ resumed: 50 });
  });

  it("a stream that is reset leaves, and the others wait on", async () => {
    const test = await scene(pause);
    const gone = test.client.open({ ":path": "/gone" });
    const stays = test.client.send({ ":path": "/stays" });
    await eventually(() => test.held() === 2);
    gone.close(8);
    await eventually(() => test.held() === 1);
    test.set(undefined);
    expect((await stays).status).toBe(200);
    expect(test.target.seen.map(({ url }) => url)).toEqual(["/stays"]);
    expect(test.gated()).toEqual({ resumed: 1, aborted: 1 });
  });

  it("a body waits in the client once its window is used up, and arrives whole", async () => {
    const test = await scene(pause);
    const stream = test.client.open({ ":method": "POST" });
    const answer = answerOf(stream);
    stream.on("wantTrailers", () => stream.sendTrailers({}));
    const body = Buffer.alloc(4 * 1024 * 1024, "x");
    let sent = false;
    stream.end(body, () => {
      sent = true;
    });
    await eventually(() => test.held() === 1);
    for (let i = 0; i < 20; i++) await fetch(test.target.url);
    expect(sent).toBe(false);
    test.set(undefined);
    expect((await answer).status).toBe(200);
    expect(test.target.seen.at(-1)?.body).toHaveLength(body.length);
  });

  it("a body and trailers that came while it waited go on", async () => {
    const trailers: unknown[] = [];
    const test = await scene(pause, (request, response) => {
      trailers.push(request.trailers);
      response.end("ok");
    });
    const answer = test.client.send({ ":method": "POST", te: "trailers" }, "body", { "x-check": "1" });
    await eventually(() => test.held() === 1);
    for (let i = 0; i < 20; i++) await fetch(test.target.url);
    test.set(undefined);
    expect((await answer).status).toBe(200);
    expect(String(test.target.seen.at(-1)?.body)).toBe("body");
    expect(trailers.at(-1)).toEqual({ "x-check": "1" });
  });

  it("maintenance answers 503, and gRPC clients UNAVAILABLE, with the message", async () => {
    const test = await scene(maintenance);
    const plain = await test.client.send({});
    expect([plain.status, plain.headers["retry-after"]]).toEqual([503, "120"]);
    expect(JSON.parse(plain.body)).toMatchObject({ status: 503, detail: "Back at noon." });
    const echo = keep(await grpcEcho({}));
    const router = keep(
      await testRouter(
        { blue: { weight: 1, targets: [echo.url] } },
        { snapshot: { gate: maintenance } },
        create,
      ),
    );
    const calls = keep(echoClient(router.port));
    const { error } = await calls.unary("hello");
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: "Back at noon." });
  });

  it("a held gRPC call goes on when the router is resumed", async () => {
    const echo = keep(await grpcEcho({}));
    const colors = { blue: { weight: 1, targets: [echo.url] } };
    const router = keep(await testRouter(colors, { snapshot: { gate: pause } }, create));
    const calls = keep(echoClient(router.port));
    const call = calls.unary("hello");
    await eventually(() => router.plane.report().colors.none!.held === 1);
    router.serve(colors, { gate: undefined });
    expect((await call).value?.toString()).toBe("hello");
  });

  it("an event stream counts as a tunnel, and ends after its event once its color is drained", async () => {
    const open: ServerResponse[] = [];
    const test = await scene(undefined, (_request, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write("data: 1\n\ndata: tw");
      open.push(response);
    });
    const answer = test.client.send({});
    const [blue] = test.router.plane.colors;
    await eventually(() => blue!.counters.tunnels === 1 && open.length === 1);
    expect(blue!.counters.inFlight).toBe(0);
    test.flip();
    open[0]!.write("o\n\ndata: three\n\n");
    expect(await answer).toMatchObject({ status: 200, body: "data: 1\n\ndata: two\n\n", code: 0 });
    await eventually(() => blue!.counters.tunnels === 0 && open[0]!.destroyed);
    expect(test.router.lines[0]).toMatchObject({ status: 200, outcome: "answered" });
  });

  it("an event stream is answered when its client has had enough", async () => {
    const open: ServerResponse[] = [];
    const test = await scene(undefined, (_request, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.flushHeaders();
      open.push(response);
    });
    const stream = test.client.session.request({ ":path": "/" });
    stream.on("error", () => {});
    const [blue] = test.router.plane.colors;
    await eventually(() => blue!.counters.tunnels === 1);
    stream.close(8);
    await eventually(() => open[0]!.destroyed && test.router.lines.length === 1);
    expect(test.router.lines[0]).toMatchObject({ status: 200, outcome: "answered" });
  });

  it("an extended CONNECT for a WebSocket is refused", async () => {
    const test = await scene(undefined);
    const stream = test.client.session.request({
      ":method": "CONNECT",
      ":authority": "a",
    });
    stream.on("error", () => {});
    const { status: code, code: reset } = await answerOf(stream);
    expect(code === 405 || reset !== 0).toBe(true);
    expect(test.client.session.remoteSettings.enableConnectProtocol).not.toBe(true);
    expect((await test.client.send({})).status).toBe(200);
  });
});
