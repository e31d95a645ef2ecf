import { beforeEach, describe, expect, it } from "vitest";
import { BLUE, GREEN, testPlane } from "../../test/support/control-plane.ts";
import { passed } from "../../test/support/fake-probe.ts";
import { DURATION_BUCKETS } from "../core/report.ts";

type Parts = Awaited<ReturnType<typeof testPlane>>;
let parts: Parts;
beforeEach(async () => {
  parts = await testPlane();
});

describe("GET /admin/state", () => {
  it("says all there is to know, by the names that the command reads", async () => {
    parts.probe.results.set(GREEN, { ...passed, version: "1.0.1", digest: "abc" });
    const target = { inFlight: 2, suspect: true, passes: 7, errors: 1 };
    parts.channel.count({
      green: { inFlight: 2, evidence: { requests: 9, bad: 1 }, targets: { [GREEN]: target } },
    });
    await parts.clock.advance(2000);
    const { body } = await parts.call("GET", "/admin/state");
    const { snapshot } = parts.plane.store.view;
    expect(body).toMatchObject({
      revision: 1,
      epoch: snapshot.epoch,
      version: "0.1.0",
      uptime: 2.5,
      split: "random",
      weights: { blue: 90, green: 10 },
      previous: null,
      standby: null,
      rollout: null,
    });
    expect(body.colors[0]).toMatchObject({
      name: "blue",
      weight: 90,
      share: 0.9,
      in_flight: 0,
      rate: 0,
      error_ratio: null,
      p50: null,
      p99: null,
    });
    expect(body.colors[1]).toMatchObject({ evidence: { requests: 9, bad: 1 }, in_flight: 2, retiring: [] });
    expect(body.colors[1].targets).toEqual([
      {
        url: GREEN,
        health: "up",
        in_flight: 2,
        suspect: true,
        version: "1.0.1",
        digest: "abc",
        last_check: { at: "2026-11-21T12:00:02.200Z", ok: true, detail: "200 OK", duration: 0 },
      },
    ]);
  });

  it("shows rates, errors and quantiles of about the last ten seconds", async () => {
    const buckets = [...DURATION_BUCKETS, Number.POSITIVE_INFINITY].map(() => 0);
    const after = (count: number, errors: number) => {
      const now = buckets.map((_, i) => (DURATION_BUCKETS[i] === 0.01 ? count + errors : 0));
      return { requests: { "GET 200": count, "POST 503": errors }, duration: { buckets: now, sum: 1 } };
    };
    parts.channel.count({ blue: after(5000, 5000) });
    parts.channel.report();
    await parts.clock.advance(15_000);
    parts.channel.count({ blue: after(5090, 5010) });
    const [blue] = (await parts.call("GET", "/admin/state")).body.colors;
    expect(blue.rate).toBeCloseTo(100 / 9.5); // the oldest second that is remembered began 9.5 s ago
    expect(blue.error_ratio).toBeCloseTo(0.1);
    expect(blue.p50).toBeCloseTo(0.0075);
    expect(blue.p99).toBeCloseTo(0.00995);
    await parts.clock.advance(15_000);
    expect((await parts.call("GET", "/admin/state")).body.colors[0]).toMatchObject({
      rate: 0,
      error_ratio: null,
      p99: null,
    });
  });
});

describe("GET /readyz and /healthz", () => {
  it("is not ready while the data plane does not answer yet", async () => {
    let unready: string | undefined = "The workers do not listen yet.";
    const own = await testPlane({}, { unready: () => unready });
    expect(await own.call("GET", "/readyz")).toMatchObject({ status: 503, body: { detail: unready } });
    unready = undefined;
    expect((await own.call("GET", "/readyz")).status).toBe(200);
  });

  it("are ready while a color with weight, or the standby, has an available target", async () => {
    const status = async () => (await parts.call("GET", "/readyz")).status;
    expect(await status()).toBe(200);
    await parts.call("POST", "/admin/flip", { to: "blue" });
    parts.probe.down(BLUE);
    await parts.clock.advance(10_000);
    expect(await status()).toBe(503); // green is up, but of weight 0 and no standby
    await parts.call("POST", "/admin/flip", { to: "green" });
    expect(await status()).toBe(200);
    parts.probe.up(BLUE);
    parts.probe.down(GREEN);
    await parts.clock.advance(10_000);
    expect(await status()).toBe(200); // blue is the standby
    parts.plane.retire();
    expect(await parts.call("GET", "/readyz")).toMatchObject({
      status: 503,
      body: { detail: "The router is about to stop." },
    });
    expect((await parts.call("GET", "/healthz")).status).toBe(200);
  });
});
