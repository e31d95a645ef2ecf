import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { endChildren } from "../support/child.ts";
import { Load } from "../support/load.ts";
import { type Collector, collector } from "../support/otlp/collector.ts";
import { type RunningRouter, removeFolder, startRouter, untilHealth } from "../support/running-router.ts";
import { type RawUpstream, rawUpstream, refusedPort, type Upstream, upstream } from "../support/upstream.ts";
import { endWorkers, until } from "../support/workers.ts";

const ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT = `00-${ID}-b7ad6b7169203331-01`;

let behind: Upstream;
let router: RunningRouter;

beforeEach(async () => {
  behind = await upstream();
});
afterEach(async () => {
  await endChildren();
  endWorkers(router);
  removeFolder(router.folder);
  await behind.close();
});

async function begin(tracing: unknown, more: Record<string, unknown> = {}): Promise<void> {
  router = await startRouter({
    colors: { blue: { weight: 1, targets: [behind.url] } },
    log: { access: "all" },
    tracing,
    ...more,
  });
  await untilHealth(router, "blue", "up");
}

/** A request on a connection of its own, which any worker may take. */
function ask(fields: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(router.url, { agent: false, headers: fields }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode!));
    });
    sent.on("error", reject).end();
  });
}

const openMetrics = async () =>
  (await fetch(`${router.admin}/metrics`, { headers: { Accept: "application/openmetrics-text" } })).text();

describe("a router that traces", () => {
  let receiver: Collector;
  beforeEach(async () => {
    receiver = await collector();
  });
  afterEach(() => receiver.close());

  it.each([1, 2])("sends what is left when it stops, with %i data-plane processes", async (workers) => {
    await begin({ otlp: receiver.url, service_name: "front" }, { workers });
    await Promise.all(Array.from({ length: 40 }, () => ask({ traceparent: PARENT })));
    router.child.signal("SIGTERM");
    await until(() => !router.child.running);
    expect(router.child.process.exitCode, router.child.output).toBe(0);
    const spans = receiver.spans();
    expect(spans).toHaveLength(80);
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([ID]));
    expect(new Set(spans.map(({ resource }) => resource["service.name"]))).toEqual(new Set(["front"]));
    expect(new Set(spans.map(({ resource }) => resource["process.pid"])).size).toBe(workers);
    const line = router.child.output.split("\n").find((each) => each.includes('"msg":"request"'))!;
    expect(JSON.parse(line)).toMatchObject({ trace_id: ID, color: "blue", target: behind.url });
  });

  it("shows the trace as an exemplar, and counts spans of every worker", async () => {
    await begin({ otlp: receiver.url }, { workers: 2 });
    await Promise.all(Array.from({ length: 20 }, () => ask({ traceparent: PARENT })));
    await receiver.until(40);
    await until(async () => {
      const lines = (await openMetrics()).split("\n");
      const sent = lines.filter((line) => line.startsWith("sluice_worker_spans_exported_total"));
      return sent.reduce((sum, line) => sum + Number(line.split(" ")[1]), 0) === 40;
    });
    expect(await openMetrics()).toMatch(
      new RegExp(
        `^sluice_request_duration_seconds_bucket\\{color="blue",le="[^"]+"\\} \\d+ # \\{trace_id="${ID}"\\} 0\\.\\d+ \\d+\\.?\\d*$`,
        "m",
      ),
    );
  });

  it("takes the collector from OpenTelemetry's environment, and another one at a reload", async () => {
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `${receiver.url}/base/`;
    process.env.OTEL_EXPORTER_OTLP_HEADERS = "api-key=from%20env";
    process.env.OTEL_SERVICE_NAME = "named outside";
    try {
      await begin({});
    } finally {
      delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
      delete process.env.OTEL_EXPORTER_OTLP_HEADERS;
      delete process.env.OTEL_SERVICE_NAME;
    }
    await ask();
    const [span] = await receiver.until(2);
    expect(span!.resource["service.name"]).toBe("named outside");
    expect(receiver.seen[0]!.url).toBe("/base/v1/traces");
    expect(receiver.seen[0]!.headers["api-key"]).toBe("from env");
    const other = await collector();
    const config = parse(readFileSync(router.configPath, "utf8"));
    writeFileSync(router.configPath, stringify({ ...config, tracing: { otlp: other.url } }));
    router.child.signal("SIGHUP");
    await router.child.printed(/"applied":\["tracing"\]/);
    await ask();
    expect(await other.until(2)).toHaveLength(2);
    expect(receiver.spans()).toHaveLength(2);
    await other.close();
  });
});

describe("a collector that", () => {
  const bad: Record<string, () => Promise<{ url: string; close(): Promise<void> }>> = {
    "is not there": async () => ({ url: `http://127.0.0.1:${await refusedPort()}`, close: async () => {} }),
    "never answers": () => raw(() => {}),
    "answers garbage": () => raw((socket) => socket.end("\0\0\0 not HTTP at all")),
    "refuses everything": () => upstream((_request, response) => response.writeHead(500).end()),
  };

  function raw(
    answer: (socket: Parameters<Parameters<typeof rawUpstream>[0]>[0]) => void,
  ): Promise<RawUpstream> {
    return rawUpstream((socket) => {
      socket.on("data", () => answer(socket));
    });
  }

  it.each(Object.keys(bad))("%s fails no request, and the router still stops cleanly", async (what) => {
    const receiver = await bad[what]!();
    await begin({ otlp: receiver.url }, { log: { access: "off" } });
    const load = new Load({ url: router.url, rate: 400 });
    await load.more(800);
    expect((await load.stop()).lost).toEqual([]);
    router.child.signal("SIGTERM");
    await until(() => !router.child.running);
    expect(router.child.process.exitCode, router.child.output).toBe(0);
    await receiver.close();
  });
});

it("has no trace of it where tracing is off", async () => {
  await begin("none");
  await ask({ traceparent: PARENT });
  const line = JSON.parse((await router.child.printed(/^.*"msg":"request".*$/m))[0]);
  expect(line).toMatchObject({ trace_id: ID, color: "blue", target: behind.url });
  expect(await openMetrics()).not.toMatch(/worker_spans_\w+\{|trace_id/);
});
