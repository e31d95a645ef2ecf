import { request } from "node:http";
import { Metadata } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { echoClient, grpcEcho } from "../../../test/support/grpc-echo.ts";
import { http2Client } from "../../../test/support/http2-client.ts";
import { type Collector, collector, type ReceivedSpan } from "../../../test/support/otlp/collector.ts";
import { type Colors, type PlaneOptions, type TestRouter, testRouter } from "../../../test/support/plane.ts";
import { RawClient } from "../../../test/support/raw-client.ts";
import { settled } from "../../../test/support/settled.ts";
import {
  type Answer,
  rawUpstream,
  refusedPort,
  type Upstream,
  upstream,
} from "../../../test/support/upstream.ts";
import type { TracingConfig } from "../../config/config.ts";
import { ENGINES } from "../../engines.ts";

const ID = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";
const PARENT = `00-${ID}-${CALLER}-01`;

type Closing = { close(): Promise<void> };
const open: Closing[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

function opened<T extends Closing>(each: T): T {
  open.push(each);
  return each;
}

const tracing = (config: Partial<TracingConfig> = {}): TracingConfig => ({
  ...{ otlp: undefined, headers: {}, sample: 1, service_name: "sluice" },
  ...config,
});

describe.each(Object.entries(ENGINES))("trace context through engine %s", (_name, engine) => {
  async function router(colors: Colors, config: PlaneOptions["config"] = {}): Promise<TestRouter> {
    return opened(await testRouter(colors, { config: { ...config } }, engine));
  }

  async function target(answer?: Answer): Promise<Upstream> {
    return opened(await upstream(answer));
  }

  /** A router with one target, and what this target sees of a request with these fields. */
  async function seenWith(config: TracingConfig | undefined, fields: readonly [string, string][] = []) {
    const behind = await target();
    const front = await router({ blue: { weight: 1, targets: [behind.url] } }, { tracing: config });
    await get(front.url, fields.flat());
    return { ...behind.seen[0]!, front };
  }

  describe("where tracing is off", () => {
    it("passes traceparent and tracestate like any other field, whatever they say", async () => {
      const { rawHeaders, front } = await seenWith(undefined, [
        ["TraceParent", "no such thing"],
        ["TraceState", "Foo==1"],
      ]);
      const pairs = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []));
      expect(pairs).toContain("TraceParent: no such thing");
      expect(pairs).toContain("TraceState: Foo==1");
      expect(front.lines[0]!.trace_id).toBeUndefined();
    });

    it("begins nothing", async () => {
      const { headers } = await seenWith(undefined);
      expect(headers).not.toHaveProperty("traceparent");
    });

    it("says the trace that a client names in the log line", async () => {
      const { headers, front } = await seenWith(undefined, [["traceparent", PARENT]]);
      expect(headers.traceparent).toBe(PARENT);
      expect(front.lines[0]).toMatchObject({ trace_id: ID, color: "blue" });
      expect(front.lines[0]!.target).toMatch(/^http:/);
    });
  });

  describe("where nothing is exported", () => {
    it("leaves a valid traceparent as it is, and joins tracestate", async () => {
      const { headers, rawHeaders } = await seenWith(tracing(), [
        ["traceparent", PARENT],
        ["tracestate", "foo=1"],
        ["tracestate", "bar=2,"],
      ]);
      expect(headers.traceparent).toBe(PARENT);
      expect(headers.tracestate).toBe("foo=1,bar=2");
      expect(rawHeaders.filter((name) => name.toLowerCase() === "tracestate")).toHaveLength(1);
    });

    it.each([
      ["nothing", undefined],
      ["what is none", "00-zz"],
      ["zeros", `00-${"0".repeat(32)}-${CALLER}-01`],
    ])("begins a trace for a client that sends %s, without its tracestate", async (_what, value) => {
      const { headers, front } = await seenWith(tracing(), [
        ...(value === undefined ? [] : ([["traceparent", value]] as [string, string][])),
        ["tracestate", "foo=1"],
      ]);
      expect(headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-03$/);
      expect(headers.tracestate).toBeUndefined();
      expect(front.lines[0]!.trace_id).toBe((headers.traceparent as string).slice(3, 35));
    });

    it("begins one where traceparent comes twice", async () => {
      const { headers } = await seenWith(tracing(), [
        ["traceparent", PARENT],
        ["traceparent", PARENT],
      ]);
      expect(headers.traceparent).not.toContain(ID);
    });

    it("samples none of its own traces by choice, and never changes the caller's flag", async () => {
      const own = await seenWith(tracing({ sample: 0 }));
      expect(own.headers.traceparent).toMatch(/-02$/);
      const callers = await seenWith(tracing({ sample: 0 }), [["traceparent", PARENT]]);
      expect(callers.headers.traceparent).toBe(PARENT);
    });

    it("cannot be talked out of it by Connection", async () => {
      const { headers } = await seenWith(tracing(), [
        ["traceparent", PARENT],
        ["Connection", "traceparent"],
      ]);
      expect(headers.traceparent).toBe(PARENT);
    });
  });

  describe("where spans go to a collector", () => {
    const withCollector = async (
      colors: Colors,
      config: PlaneOptions["config"] = {},
      more: Partial<TracingConfig> = {},
    ) => {
      const receiver: Collector = opened(await collector());
      const front = await router(colors, {
        ...config,
        tracing: tracing({ otlp: `${receiver.url}/v1/traces`, ...more }),
      });
      /** What has come in the end. */
      const flushed = async () => {
        await front.plane.spans.close();
        return receiver.spans();
      };
      return { receiver, front, flushed };
    };

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

function byKind(spans: readonly ReceivedSpan[]): [client: ReceivedSpan, server: ReceivedSpan] {
  const of = (kind: string) => spans.find((span) => span.kind === kind)!;
  return [of("CLIENT"), of("SERVER")];
}

/** A request with exactly these fields, until its answer is whole. */
function get(url: string, fields: readonly string[], method = "GET"): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = ["Host", new URL(url).host, ...fields];
    const outgoing = request(url, { method, headers, agent: false }, (answer) => {
      answer.resume();
      answer.on("error", reject);
      answer.on("end", () => resolve(answer.statusCode!));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
