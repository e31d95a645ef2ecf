import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { installed } from "../../../../test.shared.ts";
import { GREEN, testPlane } from "../../test/support/control-plane.ts";
import { DURATION_BUCKETS } from "../core/report.ts";

type Parts = Awaited<ReturnType<typeof testPlane>>;

async function scrape({
  call,
}: Parts): Promise<{ text: string; value: (series: string) => number | undefined }> {
  const { body, headers, status } = await call("GET", "/metrics");
  expect(status).toBe(200);
  expect(headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const lines = new Map(
    (body as string).split("\n").map((line) => [line.replace(/ [^ ]*$/, ""), Number(line.split(" ").at(-1))]),
  );
  return { text: body, value: (series) => lines.get(series) };
}

/** What a Prometheus that keeps exemplars asks for. */
const OPEN_METRICS =
  "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

async function openMetricsOf({ call }: Parts, accept = OPEN_METRICS) {
  const { body, headers, status } = await call("GET", "/metrics", undefined, { Accept: accept });
  expect(status).toBe(200);
  return { text: body as string, type: headers.get("Content-Type"), lines: (body as string).split("\n") };
}

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const exemplarsIn = (bound: number, value: number, at: number) =>
  [...DURATION_BUCKETS, Number.POSITIVE_INFINITY].map((each) =>
    each === bound ? { traceId: TRACE, value, at } : null,
  );

const hasPromtool = installed("promtool");

describe("the metrics", () => {
  it.skipIf(!hasPromtool)("leave promtool nothing to say, before the first request and after", async () => {
    const parts = await testPlane();
    const check = async () => {
      const { text } = await scrape(parts);
      const { status, stderr, stdout } = spawnSync("promtool", ["check", "metrics"], {
        input: text,
        encoding: "utf8",
      });
      expect(stdout + stderr).toBe("");
      expect(status).toBe(0);
    };
    await check();
    parts.channel.count({ blue: { requests: { "OTHER 418": 3 } }, none: { requests: { "GET 400": 1 } } });
    await check();
  });

  it.skipIf(!hasPromtool)("are OpenMetrics that Prometheus' own parser reads to the end", async () => {
    const parts = await testPlane();
    const buckets = DURATION_BUCKETS.map(() => 1).concat(1);
    const exemplars = [...DURATION_BUCKETS, 60].map((value) => ({
      traceId: TRACE,
      value,
      at: 1_700_000_000_123,
    }));
    parts.channel.count({ blue: { duration: { buckets, sum: 80, exemplars } } });
    const { lines } = await openMetricsOf(parts);
    // what promtool imports has to have times
    const timed = lines.map((line) => line.replace(/^([^#]\S*(?:\{.*?\})? \S+)/, "$1 1700000000"));
    const folder = mkdtempSync(join(tmpdir(), "sluice-openmetrics-"));
    writeFileSync(join(folder, "metrics"), timed.join("\n"));
    const args = ["tsdb", "create-blocks-from", "openmetrics", join(folder, "metrics"), join(folder, "data")];
    const { status, stderr } = spawnSync("promtool", args, { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(timed.filter((line) => line.includes(" # {trace_id="))).toHaveLength(DURATION_BUCKETS.length + 1);
  });

  it("are all there with 0 before the first request, for every color", async () => {
    const { value } = await scrape(await testPlane());
    for (const color of ["blue", "green"]) {
      for (const series of [
        `sluice_requests_total{color="${color}",method="GET",code="200"}`,
        `sluice_requests_total{color="${color}",method="POST",code="503"}`,
        `sluice_assigned_total{color="${color}"}`,
        `sluice_overridden_total{color="${color}"}`,
        `sluice_attempts_total{color="${color}",outcome="connect_failed"}`,
        `sluice_request_duration_seconds_bucket{color="${color}",le="+Inf"}`,
        `sluice_request_duration_seconds_sum{color="${color}"}`,
        `sluice_request_duration_seconds_count{color="${color}"}`,
        `sluice_upstream_errors_total{color="${color}",reason="reset"}`,
        `sluice_retries_total{color="${color}",reason="connect_failed"}`,
        `sluice_requests_in_flight{color="${color}"}`,
      ])
        expect(value(series), series).toBe(0);
    }
    expect(value('sluice_requests_total{color="none",method="GET",code="503"}')).toBe(0);
    expect(value('sluice_failovers_total{from="blue",to="green"}')).toBe(0);
    expect(value('sluice_failovers_total{from="blue",to="blue"}')).toBeUndefined();
    for (const kind of ["weights", "flip", "rollback", "undo", "reload"])
      expect(value(`sluice_weight_changes_total{kind="${kind}"}`)).toBe(0);
    expect(value('sluice_build_info{version="0.1.0"}')).toBe(1);
  });

  it("are what workers counted, exactly at the moment of the scrape", async () => {
    const parts = await testPlane();
    const buckets = [...DURATION_BUCKETS.map((bound) => (bound === 0.005 ? 3 : 0)), 2];
    parts.channel.count({
      green: {
        inFlight: 2,
        assigned: 6,
        requests: { "POST 200": 3, "OTHER 502": 2 },
        attempts: { reset: 1 },
        upstreamErrors: { reset: 1 },
        retries: { reset: 1 },
        failovers: { blue: 4 },
        duration: { buckets, sum: 61.5 },
      },
      none: { requests: { "GET 400": 7 } },
    });
    const { value } = await scrape(parts);
    expect(value('sluice_requests_total{color="green",method="OTHER",code="502"}')).toBe(2);
    expect(value('sluice_requests_total{color="none",method="GET",code="400"}')).toBe(7);
    expect(value('sluice_failovers_total{from="green",to="blue"}')).toBe(4);
    expect(value('sluice_retries_total{color="green",reason="reset"}')).toBe(1);
    expect(value('sluice_requests_in_flight{color="green"}')).toBe(2);
    expect(value('sluice_request_duration_seconds_bucket{color="green",le="0.0025"}')).toBe(0);
    expect(value('sluice_request_duration_seconds_bucket{color="green",le="0.005"}')).toBe(3);
    expect(value('sluice_request_duration_seconds_bucket{color="green",le="30"}')).toBe(3);
    expect(value('sluice_request_duration_seconds_bucket{color="green",le="+Inf"}')).toBe(5);
    expect(value('sluice_request_duration_seconds_count{color="green"}')).toBe(5);
    expect(value('sluice_request_duration_seconds_sum{color="green"}')).toBe(61.5);
  });

  it("follow weights, epoch, health and changes", async () => {
    const parts = await testPlane();
    await parts.call("POST", "/admin/weights", { blue: 3, green: 1 });
    await parts.call("POST", "/admin/rollback");
    await parts.call("POST", "/admin/undo");
    parts.probe.down(GREEN);
    await parts.clock.advance(10_000);
    const { value } = await scrape(parts);
    expect(value('sluice_traffic_weight_ratio{color="green"}')).toBe(0.25);
    expect(value("sluice_snapshot_epoch")).toBe(parts.plane.store.view.snapshot.epoch);
    expect(value(`sluice_target_up{color="green",target="${GREEN}"}`)).toBe(0);
    expect(value('sluice_target_up{color="blue",target="http://127.0.0.1:8001"}')).toBe(1);
    expect(value('sluice_weight_changes_total{kind="weights"}')).toBe(1);
    expect(value('sluice_weight_changes_total{kind="rollback"}')).toBe(1);
    expect(value('sluice_weight_changes_total{kind="undo"}')).toBe(1);
  });

  it("lose the series of targets that are removed", async () => {
    const parts = await testPlane();
    parts.probe.down(GREEN);
    await parts.clock.advance(10_000);
    await parts.call("PUT", "/admin/colors/green/targets", { targets: ["http://127.0.0.1:8003"] });
    const { text } = await scrape(parts);
    expect(text).not.toContain(GREEN);
    expect(text).toContain("http://127.0.0.1:8003");
  });

  it("add up workers and never go backwards when one is replaced", async () => {
    const parts = await testPlane();
    const assigned = async () => (await scrape(parts)).value('sluice_assigned_total{color="blue"}');
    parts.channel.count({ blue: { assigned: 10, inFlight: 4 } }, 0);
    parts.channel.count({ blue: { assigned: 5 } }, 1);
    expect(await assigned()).toBe(15);
    parts.channel.remove(0);
    parts.channel.count({ blue: { assigned: 1 } }, 2);
    expect(await assigned()).toBe(16);
    parts.channel.count({ blue: { assigned: 2 } }, 1); // began anew under its old number
    expect(await assigned()).toBe(18);
    expect((await scrape(parts)).value('sluice_requests_in_flight{color="blue"}')).toBe(0);
  });

  it("say how each worker does, and nothing that it did not report", async () => {
    const parts = await testPlane();
    const process = { cpuSeconds: 1.5, loopSeconds: 2.5, residentBytes: 7e7, heapBytes: 2e7 };
    parts.channel.set({ worker: 3, epoch: 1, colors: {}, connections: 12, process });
    parts.channel.set({ worker: 4, epoch: 2, colors: {}, connections: 1 });
    const { value } = await scrape(parts);
    expect(value('sluice_client_connections{worker="3"}')).toBe(12);
    expect(value('sluice_worker_snapshot_epoch{worker="4"}')).toBe(2);
    expect(value('sluice_worker_cpu_seconds_total{worker="3"}')).toBe(1.5);
    expect(value('sluice_worker_event_loop_seconds_total{worker="3"}')).toBe(2.5);
    expect(value('sluice_worker_resident_memory_bytes{worker="3"}')).toBe(7e7);
    expect(value('sluice_worker_heap_used_bytes{worker="3"}')).toBe(2e7);
    expect(value('sluice_worker_heap_used_bytes{worker="4"}')).toBeUndefined();
  });

  it("say how the process does", async () => {
    const { text } = await scrape(await testPlane());
    for (const name of [
      "process_cpu_seconds_total",
      "process_resident_memory_bytes",
      "nodejs_eventloop_lag_p99_seconds",
    ])
      expect(text).toContain(`\n${name} `);
  });

  it("are OpenMetrics for who prefers it, with the newest exemplar of each bucket and color", async () => {
    const parts = await testPlane();
    const buckets = DURATION_BUCKETS.map((bound) => (bound === 0.005 ? 3 : 0)).concat(0);
    const older = { buckets, sum: 0.01, exemplars: exemplarsIn(0.005, 0.003, 1_700_000_000_000) };
    const newer = { buckets, sum: 0.01, exemplars: exemplarsIn(0.005, 0.004, 1_700_000_001_500) };
    parts.channel.count({ green: { duration: newer, requests: { "GET 200": 3 } } }, 0);
    parts.channel.count({ green: { duration: older, requests: { "GET 200": 3 } } }, 1);
    const { lines, type } = await openMetricsOf(parts);
    expect(type).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(lines).toContain("# TYPE sluice_requests counter");
    expect(lines).toContain('sluice_requests_total{color="green",method="GET",code="200"} 6');
    expect(lines).toContain(
      `sluice_request_duration_seconds_bucket{color="green",le="0.005"} 6 # {trace_id="${TRACE}"} 0.004 1700000001.5`,
    );
    expect(lines).toContain('sluice_request_duration_seconds_bucket{color="green",le="0.01"} 6');
    expect(lines.slice(-2)).toEqual(["# EOF", ""]);
    expect((await scrape(parts)).text, "Prometheus' own text has none").not.toContain(TRACE);
  });

  it.each(["text/plain", "*/*", "text/plain;q=0.9,application/openmetrics-text;q=0.5", "image/png"])(
    "are Prometheus' own text for a scraper that accepts %s",
    async (accept) => {
      const { type, text } = await openMetricsOf(await testPlane(), accept);
      expect(type).toBe("text/plain; version=0.0.4; charset=utf-8");
      expect(text).not.toContain("# EOF");
    },
  );

  it("say the same in both formats, however often each is asked for", async () => {
    const parts = await testPlane();
    const values = (text: string) =>
      text
        .split("\n")
        .filter((line) => line.startsWith("sluice_"))
        .sort();
    const first = await scrape(parts);
    const open = await openMetricsOf(parts);
    const second = await scrape(parts);
    expect(values(open.text)).toEqual(values(first.text));
    expect(values(second.text)).toEqual(values(first.text));
    expect(open.lines).toContain("# TYPE process_cpu_seconds counter");
    expect(second.text).toContain("# TYPE process_cpu_seconds_total counter");
  });

  it("count spans, and nothing of a worker that sends none", async () => {
    const parts = await testPlane();
    const spans = { exported: 7, queueFull: 2, failed: 3 };
    parts.channel.set({ worker: 3, epoch: 1, colors: {}, connections: 0, spans });
    parts.channel.set({ worker: 4, epoch: 1, colors: {}, connections: 0 });
    const { value, text } = await scrape(parts);
    expect(value('sluice_worker_spans_exported_total{worker="3"}')).toBe(7);
    expect(value('sluice_worker_spans_dropped_total{worker="3",reason="queue_full"}')).toBe(2);
    expect(value('sluice_worker_spans_dropped_total{worker="3",reason="export_failed"}')).toBe(3);
    expect(text).not.toContain('spans_exported_total{worker="4"}');
  });
});
