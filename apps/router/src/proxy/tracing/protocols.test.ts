import { Metadata } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { echoClient, grpcEcho } from "../../../test/support/grpc-echo.ts";
import { http2Client } from "../../../test/support/http2-client.ts";
import { RawClient } from "../../../test/support/raw-client.ts";
import { settled } from "../../../test/support/settled.ts";
import { byKind, CALLER, ID, opened, PARENT, traced } from "../../../test/support/traced.ts";
import { rawUpstream } from "../../../test/support/upstream.ts";
import { ENGINES } from "../../engines.ts";

describe.each(Object.entries(ENGINES))("spans by protocol of engine %s", (_name, engine) => {
  const { target, withCollector } = traced(engine);

  describe("where spans go to a collector", () => {
    it("follows HTTP/2 clients and gRPC calls, with the call's own status", async () => {
      const echo = await grpcEcho({
        unary: (call, answer) =>
          call.request.length > 0 ? answer(null, call.request) : answer({ code: 14, details: "not now" }),
      });
      const { front, flushed } = await withCollector({ blue: { weight: 1, targets: [echo.url] } });
      const calls = echoClient(front.port);
      const metadata = new Metadata();
      metadata.set("traceparent", PARENT);
      metadata.set("tracestate", "foo=1");
      expect((await calls.unary("hello", { metadata })).value?.toString()).toBe("hello");
      expect((await calls.unary("", { metadata })).error?.code).toBe(14);
      calls.close();
      echo.close();
      const spans = await flushed();
      const [good, bad] = spans.filter(({ kind }) => kind === "SERVER");
      expect(good).toMatchObject({ name: "test.Echo/Unary", traceId: ID, parentId: CALLER, failed: false });
      expect(good!.attributes).toMatchObject({
        "rpc.system.name": "grpc",
        "rpc.method": "test.Echo/Unary",
        "rpc.status_code": "OK",
        "network.protocol.version": "2",
      });
      expect(bad).toMatchObject({ state: "foo=1", failed: true });
      expect(bad!.attributes).toMatchObject({
        "rpc.status_code": "UNAVAILABLE",
        "error.type": "UNAVAILABLE",
      });
      const clients = spans.filter(({ kind }) => kind === "CLIENT");
      expect(clients.map(({ attributes }) => attributes["rpc.status_code"])).toContain("UNAVAILABLE");
      expect(clients.every(({ attributes }) => attributes["network.protocol.version"] === "2")).toBe(true);
    });

    it("tells an HTTP/1.1 target of an HTTP/2 client's trace", async () => {
      const behind = await target();
      const { front, flushed } = await withCollector({ blue: { weight: 1, targets: [behind.url] } });
      const client = http2Client(front.url);
      await client.send({ traceparent: PARENT, tracestate: "foo=1" });
      client.close();
      const [sent, server] = byKind(await flushed());
      expect(behind.seen[0]!.headers).toMatchObject({
        traceparent: `00-${ID}-${sent.spanId}-01`,
        tracestate: "foo=1",
      });
      expect(behind.seen[0]!.rawHeaders.filter((name) => name.toLowerCase() === "traceparent")).toHaveLength(
        1,
      );
      expect(server.attributes).toMatchObject({
        "network.protocol.version": "2",
        "server.address": "127.0.0.1",
        "server.port": front.port,
      });
      expect(sent.attributes["network.protocol.version"]).toBe("1.1");
    });

    it("has both spans of a WebSocket, from its beginning to its end", async () => {
      const far = opened(
        await rawUpstream((socket) => {
          socket.once("data", (head) => {
            heard = head.toString("latin1");
            socket.write(
              "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            );
            socket.on("data", () => socket.end());
          });
        }),
      );
      let heard = "";
      const { front, flushed } = await withCollector({ blue: { weight: 1, targets: [far.url] } });
      const client = await RawClient.connect(front.port);
      client.send(
        `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nTraceparent: ${PARENT}\r\n\r\n`,
      );
      await client.until("101");
      client.send("bye");
      client.socket.end();
      await client.untilClosed();
      client.close();
      await settled(front.plane);
      const [sent, server] = byKind(await flushed());
      expect(heard.match(/^traceparent: .*$/gim)).toEqual([`traceparent: 00-${ID}-${sent.spanId}-01`]);
      expect(server).toMatchObject({ traceId: ID, parentId: CALLER, failed: false });
      expect(server.attributes).toMatchObject({ "url.path": "/chat", "http.response.status_code": 101 });
      expect(sent.attributes).toMatchObject({
        "sluice.outcome": "answered",
        "http.response.status_code": 101,
      });
    });
  });
});
