import { beforeEach, describe, expect, it } from "vitest";
import { type Answer, BLUE, GREEN, testConfig, testPlane } from "../../test/support/control-plane.ts";
import { settle } from "../../test/support/fake-clock.ts";
import { passed } from "../../test/support/fake-probe.ts";
import { DURATION_BUCKETS } from "../core/report.ts";
import { EMPTY_COLOR } from "../core/report-sums.ts";

type Parts = Awaited<ReturnType<typeof testPlane>>;
let parts: Parts;
beforeEach(async () => {
  parts = await testPlane();
});

/** A call whose answer a test waits for later. */
function pending(call: Promise<Answer>): { answer: Answer | undefined } {
  const box: { answer: Answer | undefined } = { answer: undefined };
  void call.then((answer) => {
    box.answer = answer;
  });
  return box;
}

describe("POST /admin/weights", () => {
  it.each([
    ["short", { blue: 70, green: 30 }, undefined],
    ["long", { weights: { green: 30, blue: 70 }, reason: " canary looks good " }, "canary looks good"],
  ])("takes the %s form and answers what is in force and what was", async (_, body, why) => {
    const before = parts.plane.store.view.snapshot;
    const { status, body: answer, headers } = await parts.call("POST", "/admin/weights", body);
    expect(status).toBe(200);
    expect(answer).toEqual({
      revision: before.revision + 1,
      epoch: before.epoch + 1,
      weights: { blue: 70, green: 30 },
      previous: { blue: 90, green: 10 },
    });
    expect(headers.get("ETag")).toBe(`"${before.revision + 1}"`);
    expect(headers.get("Cache-Control")).toBe("no-store");
    expect(parts.channel.last.colors.map(({ share }) => share)).toEqual([0.7, 0.3]);
    const { history } = (await parts.call("GET", "/admin/history")).body;
    expect(history[0]).toEqual({
      revision: before.revision + 1,
      at: "2026-11-21T12:00:00.500Z",
      kind: "weights",
      who: "local",
      ...(why && { why }),
      from: { blue: 90, green: 10 },
      to: { blue: 70, green: 30 },
    });
  });

  it.each(['"1"', '"7", "1"', "*", "1"])("is guarded by If-Match: %s fits", async (tag) => {
    expect(
      (await parts.call("POST", "/admin/weights", { blue: 1, green: 1 }, { "If-Match": tag })).status,
    ).toBe(200);
  });

  it("lets only one of two writers win who read the same revision", async () => {
    const tag = (await parts.call("GET", "/admin/state")).headers.get("ETag")!;
    const write = (green: number) =>
      parts.call("POST", "/admin/weights", { blue: 1, green }, { "If-Match": tag });
    const statuses = (await Promise.all([write(2), write(3)])).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 412]);
  });

  it("answers only when every worker serves by the new epoch", async () => {
    parts.channel.count({}, 1);
    parts.channel.acknowledges = false;
    const call = pending(parts.call("POST", "/admin/weights", { blue: 1, green: 1 }));
    await settle();
    parts.channel.acknowledge(0);
    parts.channel.report(0);
    await settle();
    expect(call.answer).toBeUndefined();
    parts.channel.acknowledge(1);
    parts.channel.report(1);
    await settle();
    expect(call.answer).toMatchObject({ status: 200 });
    expect(call.answer!.body.acknowledged).toBeUndefined();
  });

  it("answers after fifteen seconds that a worker is behind, when it should have been replaced, and is in force all the same", async () => {
    parts.channel.acknowledges = false;
    const call = pending(parts.call("POST", "/admin/weights", { blue: 1, green: 1 }));
    await parts.clock.advance(14_999);
    expect(call.answer).toBeUndefined();
    await parts.clock.advance(1);
    expect(call.answer).toMatchObject({
      status: 200,
      body: { acknowledged: false, weights: { blue: 1, green: 1 } },
    });
  });

  it("says who asked: a name that is claimed, without control characters, and bounded", async () => {
    const who = async (name: string) => {
      await parts.call("POST", "/admin/weights", { blue: 1, green: 1 }, { "X-Sluice-Actor": name });
      return parts.plane.store.history.at(-1)!.who;
    };
    expect(await who("ci job 7")).toBe("ci job 7, local");
    expect(await who("x".repeat(500))).toBe(`${"x".repeat(100)}, local`);
    expect(await who("\t")).toBe("local");
  });
});

describe("?wait=drained", () => {
  const path = (timeout = "") => `/admin/weights?wait=drained${timeout}`;
  const inFlight = (blue: number, green: number) =>
    parts.channel.count({ blue: { inFlight: blue }, green: { inFlight: green } });

  it("answers only when the last request of the emptied color has ended", async () => {
    inFlight(2, 5);
    const call = pending(parts.call("POST", path(), { blue: 0, green: 100 }));
    await parts.clock.advance(3000);
    inFlight(1, 5);
    parts.channel.report();
    await settle();
    expect(call.answer).toBeUndefined();
    inFlight(0, 5);
    parts.channel.report();
    await settle();
    expect(call.answer).toMatchObject({ status: 200, body: { drained: true, in_flight: { blue: 0 } } });
    expect(call.answer!.body.in_flight).not.toHaveProperty("green");
  });

  it("believes no worker that does not serve by the new epoch yet", async () => {
    parts.channel.acknowledges = false;
    const call = pending(parts.call("POST", path(), { blue: 0, green: 100 }));
    await parts.clock.advance(16_000); // longer than any change waits for workers alone
    expect(call.answer).toBeUndefined();
    parts.channel.acknowledge();
    await parts.clock.advance(250);
    expect(call.answer).toMatchObject({ body: { drained: true } });
  });

  it("adds up what all workers have in flight", async () => {
    parts.channel.count({ blue: { inFlight: 1 } }, 1);
    const call = pending(parts.call("POST", path(), { blue: 0, green: 100 }));
    await settle();
    expect(call.answer).toBeUndefined();
    parts.channel.count({ blue: { inFlight: 0 } }, 1);
    parts.channel.report(1);
    await settle();
    expect(call.answer).toMatchObject({ body: { drained: true } });
  });

  it("answers at the time-out what is still there", async () => {
    inFlight(3, 0);
    const call = pending(parts.call("POST", path("&timeout=2s"), { blue: 0, green: 100 }));
    await parts.clock.advance(1999);
    expect(call.answer).toBeUndefined();
    await parts.clock.advance(1);
    expect(call.answer).toMatchObject({ status: 200, body: { drained: false, in_flight: { blue: 3 } } });
  });

  it("uses timeouts.drain where no time-out is given, and works for every change", async () => {
    for (const [verb, body] of [
      ["flip", { to: "green" }],
      ["rollback", undefined],
      ["undo", undefined],
    ] as const) {
      inFlight(1, 1);
      const call = pending(parts.call("POST", `/admin/${verb}?wait=drained`, body));
      await parts.clock.advance(29_999);
      expect(call.answer, verb).toBeUndefined();
      await parts.clock.advance(1);
      expect(call.answer, verb).toMatchObject({ body: { drained: false } });
    }
  });

  it("leaves nothing behind when the client goes away", async () => {
    inFlight(1, 0);
    const timers = parts.clock.timers;
    const client = new AbortController();
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ blue: 0, green: 1 });
    const request = new Request(`http://localhost${path()}`, {
      method: "POST",
      headers,
      body,
      signal: client.signal,
    });
    const answer = parts.plane.adminApp.request(request);
    await settle();
    expect(parts.clock.timers).toBe(timers + 2);
    client.abort();
    expect((await answer).status).toBe(200);
    expect(parts.clock.timers).toBe(timers);
    expect(parts.plane.store.view.routing.weights).toEqual({ blue: 0, green: 1 });
  });
});

describe("flip, rollback and undo", () => {
  it("answer like weights, and the history tells them apart", async () => {
    const flip = await parts.call("POST", "/admin/flip", { to: "green", reason: "release 1.0.1" });
    expect(flip.body).toMatchObject({
      revision: 2,
      weights: { blue: 0, green: 100 },
      previous: { blue: 90, green: 10 },
    });
    const rollback = await parts.call("POST", "/admin/rollback", { reason: "errors" });
    expect(rollback.body).toMatchObject({
      revision: 3,
      weights: { blue: 100, green: 0 },
      previous: { blue: 0, green: 100 },
    });
    expect(rollback.body).not.toHaveProperty("saved");
    const undo = await parts.call("POST", "/admin/undo");
    expect(undo.body).toMatchObject({ revision: 4, weights: { blue: 0, green: 100 } });
    const { history } = (await parts.call("GET", "/admin/history?limit=3")).body;
    expect(history.map(({ kind, why }: { kind: string; why?: string }) => [kind, why])).toEqual([
      ["undo", undefined],
      ["rollback", "errors"],
      ["flip", "release 1.0.1"],
    ]);
  });

  it("a rollback is refused by nobody: no healthy target, no revision, no full disk", async () => {
    parts.probe.down(BLUE, GREEN);
    await parts.clock.advance(10_000);
    const answer = await parts.call("POST", "/admin/rollback", undefined, { "If-Match": '"99"' });
    expect(answer).toMatchObject({ status: 200, body: { weights: { blue: 100, green: 0 } } });
  });
});

describe("PUT /admin/colors/:color/targets", () => {
  it("replaces targets, which take no traffic before their first passed checks", async () => {
    const next = "http://127.0.0.1:8003";
    const { status, body } = await parts.call("PUT", "/admin/colors/green/targets", {
      targets: [`${next}/`],
      reason: "new port",
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ revision: 2, color: "green", targets: [next], previous: [GREEN] });
    expect(parts.channel.published.find(({ revision }) => revision === 2)!.colors[1]!.targets[0]).toEqual({
      url: next,
      health: "starting",
    });
    const state = (await parts.call("GET", "/admin/state")).body;
    expect(state.colors[1].targets.map(({ url }: { url: string }) => url)).toEqual([next]);
    expect(parts.plane.store.history.at(-1)).toMatchObject({
      kind: "targets",
      from: { green: [GREEN] },
      to: { green: [next] },
      why: "new port",
    });
  });
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

describe("every GET", () => {
  it("answers HEAD with the same headers and no body", async () => {
    for (const path of [
      "/admin/state",
      "/admin/history",
      "/admin/openapi.json",
      "/admin/docs",
      "/metrics",
      "/healthz",
      "/readyz",
      "/admin/events",
    ]) {
      const answer = await parts.call("HEAD", path);
      expect(answer, path).toMatchObject({ status: 200, body: "" });
    }
    expect(parts.clock.timers).toBeLessThan(5);
  });
});

describe("the description", () => {
  it("names every call, with its refusals, and is served with its page", async () => {
    const { body } = await parts.call("GET", "/admin/openapi.json");
    expect(Object.keys(body.paths).sort()).toEqual([
      "/admin/colors/{color}/targets",
      "/admin/events",
      "/admin/feedback",
      "/admin/flip",
      "/admin/history",
      "/admin/maintenance",
      "/admin/pause",
      "/admin/resume",
      "/admin/rollback",
      "/admin/rollouts",
      "/admin/rollouts/{id}",
      "/admin/rollouts/{id}/abort",
      "/admin/rollouts/{id}/pause",
      "/admin/rollouts/{id}/promote",
      "/admin/rollouts/{id}/resume",
      "/admin/shadow",
      "/admin/shadow/worst",
      "/admin/state",
      "/admin/undo",
      "/admin/upgrade",
      "/admin/weights",
      "/feedback",
      "/healthz",
      "/metrics",
      "/readyz",
    ]);
    expect(Object.keys(body.paths["/admin/weights"].post.responses)).toEqual([
      "200",
      "400",
      "401",
      "403",
      "409",
      "412",
      "413",
      "415",
      "503",
      "507",
    ]);
    const page = await parts.call("GET", "/admin/docs");
    expect(page.body).toContain("Sluice admin API");
    expect(page.body).not.toMatch(/https?:\/\//);
  });
});

describe("the metrics' own port", () => {
  it("has metrics and health, without a token, and nothing else; the admin port then has no metrics", async () => {
    const admin = {
      listen: { host: "127.0.0.1", port: 9900 },
      tokens: [{ token: "t", scope: "all" as const }],
    };
    const own = await testPlane({ admin, metrics: { listen: { host: "0.0.0.0", port: 9901 } } });
    const status = async (path: string, init = {}) =>
      (await own.plane.metricsApp!.request(path, init)).status;
    expect(await status("/metrics")).toBe(200);
    expect(await status("/healthz")).toBe(200);
    expect(await status("/readyz")).toBe(200);
    expect(await status("/admin/state")).toBe(404);
    expect(await status("/admin/rollback", { method: "POST" })).toBe(404);
    expect(await status("/metrics", { method: "POST" })).toBe(405);
    expect((await own.call("GET", "/metrics", undefined, { Authorization: "Bearer t" })).status).toBe(404);
    expect(parts.plane.metricsApp).toBeUndefined();
  });
});

describe("a reload", () => {
  it("takes over health settings and tokens without touching weights that were set by hand", async () => {
    await parts.call("POST", "/admin/weights", { blue: 30, green: 70 });
    const tokens = [{ token: "t", scope: "all" as const }];
    const admin = { ...testConfig().admin, tokens };
    await parts.plane.reload(
      testConfig({ admin, health: { ...testConfig().health, interval: 100 }, split: "exact" }),
    );
    expect(parts.plane.store.view.snapshot).toMatchObject({ revision: 2, split: "exact" });
    expect(parts.channel.last.colors[0]!.targets[0]!.health).toBe("up");
    expect((await parts.call("GET", "/admin/state")).status).toBe(401);
    const calls = parts.probe.calls.length;
    await parts.clock.advance(4000);
    expect(parts.probe.calls.length - calls).toBeGreaterThan(30);
  });

  it("lets the file win if its own colors changed", async () => {
    await parts.call("POST", "/admin/weights", { blue: 30, green: 70 });
    const colors = {
      ...testConfig().colors,
      green: { weight: 20, targets: [GREEN, "http://127.0.0.1:8003"] },
    };
    await parts.plane.reload(testConfig({ colors }));
    expect(parts.plane.store.view.routing.weights).toEqual({ blue: 90, green: 20 });
    expect(parts.channel.last.colors[1]!.targets.map(({ health }) => health)).toEqual(["up", "starting"]);
    expect(parts.plane.store.history.at(-1)).toMatchObject({ kind: "reload", who: "configuration file" });
  });

  it("with other colors changes nothing, not even the settings beside them", async () => {
    const before = parts.plane.store.view.snapshot;
    const other = testConfig({ colors: { red: { weight: 1, targets: [] } }, split: "exact" });
    await expect(parts.plane.reload(other)).rejects.toThrow(/restart it for other colors/);
    expect(parts.plane.store.view.snapshot).toEqual(before);
  });
});

describe("errors on requests", () => {
  it("make a target sit out that its checks find healthy, and let it back in time", async () => {
    const blue = (errors: number) => ({
      ...EMPTY_COLOR,
      targets: { [BLUE]: { inFlight: 0, suspect: false, passes: 0, errors } },
    });
    parts.channel.count({ blue: blue(5) });
    parts.channel.report();
    expect(parts.channel.last.colors[0]!.targets[0]!.health).toBe("ejected");
    await parts.clock.advance(9999);
    expect(parts.channel.last.colors[0]!.targets[0]!.health).toBe("ejected");
    await parts.clock.advance(1);
    expect(parts.channel.last.colors[0]!.targets[0]!.health).toBe("up");
    expect(parts.plane.store.view.snapshot.revision).toBe(1);
  });
});
