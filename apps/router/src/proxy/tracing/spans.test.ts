import { describe, expect, it } from "vitest";
import { collector } from "../../../test/support/otlp/collector.ts";
import { testRouter } from "../../../test/support/plane.ts";
import { RawClient } from "../../../test/support/raw-client.ts";
import { byKind, CALLER, get, ID, opened, PARENT, traced, tracing } from "../../../test/support/traced.ts";
import { rawUpstream, refusedPort, upstream } from "../../../test/support/upstream.ts";
import { ENGINES } from "../../engines.ts";

describe.each(Object.entries(ENGINES))("spans of engine %s", (_name, engine) => {
  const { target, withCollector } = traced(engine);

  describe("where spans go to a collector", () => {
    it("has a server span under the caller's and a client span that the target sees as its parent", async () => {
      const behind = await target((_request, response) => response.writeHead(201).end("ok"));
      const { front, flushed, receiver } = await withCollector(
        { green: { weight: 1, targets: [behind.url] } },
        {},
        { headers: { Authorization: "Bearer pass" }, service_name: "router of tests" },
      );
      const before = BigInt(Date.now() - 1) * 1_000_000n;
      await get(`${front.url}/a/b?secret=1`, [
        "traceparent",
        PARENT,
        "tracestate",
        "foo=1",
        "X-Request-Id",
        "r-1",
      ]);
      const spans = await flushed();
      const [client, server] = byKind(spans);
      expect(spans).toHaveLength(2);
      expect(server).toMatchObject({
        name: "GET",
        traceId: ID,
        parentId: CALLER,
        state: "foo=1",
        flags: 1,
        failed: false,
      });
      expect(client).toMatchObject({
        name: "GET",
        traceId: ID,
        parentId: server.spanId,
        state: "foo=1",
        failed: false,
      });
      expect(behind.seen[0]!.headers.traceparent).toBe(`00-${ID}-${client.spanId}-01`);
      expect(behind.seen[0]!.headers.tracestate).toBe("foo=1");
      expect(server.attributes).toEqual({
        "http.request.method": "GET",
        "url.path": "/a/b",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": front.port,
        "client.address": "127.0.0.1",
        "network.protocol.version": "1.1",
        "http.response.status_code": 201,
        "sluice.outcome": "answered",
        "sluice.request_id": "r-1",
        "sluice.color": "green",
        "sluice.assigned": "green",
        "sluice.retries": 0,
      });
      expect(client.attributes).toEqual({
        "http.request.method": "GET",
        "url.full": `${behind.url}/a/b`,
        "server.address": "127.0.0.1",
        "server.port": behind.port,
        "network.protocol.version": "1.1",
        "http.response.status_code": 201,
        "sluice.outcome": "answered",
        "sluice.color": "green",
      });
      expect(server.resource).toMatchObject({ "service.name": "router of tests" });
      expect(receiver.seen[0]!.headers).toMatchObject({
        authorization: "Bearer pass",
        "content-type": "application/x-protobuf",
      });
      expect(before <= server.start && server.start <= client.start).toBe(true);
      expect(client.start <= client.end && client.end <= server.end).toBe(true);
      expect(server.end < BigInt(Date.now() + 1) * 1_000_000n).toBe(true);
      expect(front.plane.spans.counts()).toEqual({ exported: 2, queueFull: 0, failed: 0 });
    });

    it("has a client span for each attempt, and the target of each is told its own", async () => {
      const lost = opened(await rawUpstream((socket) => socket.once("data", () => socket.destroy())));
      const behind = await target();
      const { front, flushed } = await withCollector(
        { blue: { weight: 1, targets: [lost.url] }, green: { weight: 0, targets: [behind.url] } },
        {},
      );
      front.serve(
        { blue: { weight: 1, targets: [lost.url] }, green: { weight: 0, targets: [behind.url] } },
        { standby: "green" },
      );
      await get(front.url, ["traceparent", PARENT]);
      const spans = await flushed();
      const server = spans.find(({ kind }) => kind === "SERVER")!;
      const [first, second] = spans.filter(({ kind }) => kind === "CLIENT");
      expect(spans).toHaveLength(3);
      expect(first).toMatchObject({ parentId: server.spanId, failed: true });
      expect(first!.attributes).toMatchObject({
        "error.type": "reset",
        "sluice.outcome": "reset",
        "sluice.color": "blue",
      });
      expect(first!.attributes).not.toHaveProperty("http.response.status_code");
      expect(second).toMatchObject({ parentId: server.spanId, failed: false });
      expect(second!.attributes).toMatchObject({ "http.request.resend_count": 1, "sluice.color": "green" });
      expect(server.attributes).toMatchObject({
        "sluice.color": "green",
        "sluice.assigned": "blue",
        "sluice.retries": 1,
      });
      expect(behind.seen[0]!.headers.traceparent).toBe(`00-${ID}-${second!.spanId}-01`);
    });

    it("has errors where the target errs, where none is left, and where the request is refused", async () => {
      const behind = await target((_request, response) => response.writeHead(500).end());
      const refused = `http://127.0.0.1:${await refusedPort()}`;
      const one = await withCollector({ blue: { weight: 1, targets: [behind.url] } });
      await get(one.front.url, []);
      expect(
        (await one.flushed()).map(({ failed, attributes }) => [failed, attributes["error.type"]]),
      ).toEqual([
        [true, "500"],
        [true, "500"],
      ]);
      const two = await withCollector({ blue: { weight: 1, targets: [{ url: refused, health: "down" }] } });
      await get(two.front.url, []);
      const [none] = await two.flushed();
      expect(none).toMatchObject({ kind: "SERVER", failed: true });
      expect(none!.attributes).toMatchObject({ "error.type": "no_target", "sluice.color": "none" });
      const three = await withCollector({ blue: { weight: 1, targets: [behind.url] } });
      const client = await RawClient.connect(three.front.port);
      client.send(`GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\ntraceparent: ${PARENT}\r\n\r\n`);
      await client.untilClosed();
      client.close();
      const [refusal] = await three.flushed();
      expect(refusal).toMatchObject({ kind: "SERVER", traceId: ID, failed: false });
      expect(refusal!.attributes).toMatchObject({
        "http.response.status_code": 400,
        "sluice.outcome": "refused",
        "sluice.assigned": "none",
      });
      expect(three.front.lines[0]!.trace_id).toBe(ID);
    });

    it("says unknown methods and gRPC calls by the conventions", async () => {
      const behind = await target();
      const { front, flushed } = await withCollector({ blue: { weight: 1, targets: [behind.url] } });
      await get(front.url, [], "PROPFIND");
      await get(
        `${front.url}/grpc.health.v1.Health/Check`,
        ["Content-Type", "application/grpc+proto"],
        "POST",
      );
      const servers = (await flushed()).filter(({ kind }) => kind === "SERVER");
      expect(servers[0]).toMatchObject({ name: "HTTP" });
      expect(servers[0]!.attributes).toMatchObject({
        "http.request.method": "_OTHER",
        "http.request.method_original": "PROPFIND",
      });
      expect(servers[1]).toMatchObject({ name: "grpc.health.v1.Health/Check" });
      expect(servers[1]!.attributes).toMatchObject({
        "rpc.system.name": "grpc",
        "rpc.method": "grpc.health.v1.Health/Check",
      });
    });

    it("records nothing that the caller does not, and leaves its parent id", async () => {
      const behind = await target();
      const { front, flushed } = await withCollector({ blue: { weight: 1, targets: [behind.url] } });
      const unsampled = `00-${ID}-${CALLER}-00`;
      await get(front.url, ["traceparent", unsampled]);
      expect(behind.seen[0]!.headers.traceparent).toBe(unsampled);
      expect(await flushed()).toEqual([]);
      expect(front.lines[0]!.trace_id).toBe(ID);
    });

    it("keeps a traced request as the exemplar of its bucket", async () => {
      const behind = await target();
      const { front } = await withCollector({ blue: { weight: 1, targets: [behind.url] } });
      await get(front.url, ["traceparent", PARENT]);
      const { exemplars, buckets } = front.plane.report().colors.blue!.duration;
      const at = buckets.indexOf(1);
      expect(exemplars![at]).toMatchObject({ traceId: ID });
      expect(exemplars!.filter((each) => each !== null)).toHaveLength(1);
      expect(exemplars![at]!.value).toBeLessThanOrEqual(30);
    });

    it("switches tracing on and off while it serves", async () => {
      const behind = await target();
      const { front, flushed } = await withCollector({ blue: { weight: 1, targets: [behind.url] } });
      const { config } = front.plane;
      front.plane.configure({ ...config, tracing: undefined });
      await get(front.url, ["traceparent", PARENT]);
      expect(front.plane.report().spans).toBeUndefined();
      expect(behind.seen[0]!.headers.traceparent).toBe(PARENT);
      front.plane.configure(config);
      await get(front.url, ["traceparent", PARENT]);
      expect(behind.seen[1]!.headers.traceparent).not.toBe(PARENT);
      expect(await flushed()).toHaveLength(2);
    });
  });
});

it("hedges with a span for each of the two", async () => {
  const receiver = opened(await collector());
  let slow: (() => void) | undefined;
  const first = opened(
    await upstream((_request, response) => {
      slow = () => response.end("late");
    }),
  );
  const second = opened(await upstream());
  const front = opened(
    await testRouter(
      { blue: { weight: 1, targets: [first.url, second.url] } },
      {
        random: () => 0,
        config: {
          hedge: { after: "p95", max: 1 },
          tracing: tracing({ otlp: `${receiver.url}/v1/traces` }),
        },
      },
      ENGINES.wire,
    ),
  );
  const { latency } = front.plane.colors[0]!;
  for (let i = 0; i < 30; i++) latency.record(1, front.plane.now());
  await get(front.url, ["traceparent", PARENT]);
  slow!();
  const spans = await receiver.until(3);
  const clients = spans.filter(({ kind }) => kind === "CLIENT");
  const server = spans.find(({ kind }) => kind === "SERVER")!;
  expect(clients).toHaveLength(2);
  expect(new Set(clients.map(({ spanId }) => spanId)).size).toBe(2);
  expect(clients.every(({ parentId }) => parentId === server.spanId)).toBe(true);
  expect(first.seen[0]!.headers.traceparent).not.toBe(second.seen[0]!.headers.traceparent);
});
