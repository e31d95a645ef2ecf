import { describe, expect, it } from "vitest";
import { type Answer, BLUE, GREEN, testConfig, testPlane } from "../../test/support/control-plane.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";

const MINUTE = 60_000;

describe("a pause", () => {
  it("is in every snapshot until it is resumed, is saved, and stands in history, state and events", async () => {
    const { plane, call, channel } = await testPlane();
    const { revision } = plane.store.view.routing;
    const answer = await call("POST", "/admin/pause", {
      max: 5,
      timeout: "2s",
      for: "1m",
      reason: "migration",
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      revision: revision + 1,
      gate: { kind: "pause", max: 5, timeout: 2, reason: "migration", held: 0 },
    });
    expect(answer.body.gate.until).toBe("2026-11-21T12:01:00.500Z");
    const gate = {
      kind: "pause",
      max: 5,
      timeout: 2000,
      until: Date.parse(answer.body.gate.until),
      reason: "migration",
    };
    expect(channel.last.gate).toEqual(gate);
    await call("POST", "/admin/weights", { blue: 1, green: 1 });
    await call("POST", "/admin/rollback");
    await plane.reload(
      testConfig({
        colors: { blue: { weight: 7, targets: [BLUE] }, green: { weight: 3, targets: [GREEN] } },
      }),
    );
    expect(channel.last.colors[0]?.weight).toBe(7);
    expect(channel.last.gate).toEqual(gate);
    channel.count({ none: { held: 3 } });
    expect((await call("GET", "/admin/state")).body.gate).toMatchObject({ kind: "pause", held: 3 });
    expect((await call("POST", "/admin/resume", { reason: "done" })).body.gate).toBeNull();
    expect(channel.last.gate).toBeUndefined();
    const { history } = (await call("GET", "/admin/history")).body;
    expect(history.map(({ kind, gate: now, why }: Record<string, string>) => [kind, now, why])).toEqual([
      ["resume", "open", "done"],
      ["reload", undefined, undefined],
      ["rollback", undefined, undefined],
      ["weights", undefined, undefined],
      ["pause", "pause", "migration"],
    ]);
    expect(history.at(-1).from).toEqual(history.at(-1).to);
  });

  it("has bounded usual values", async () => {
    const { call, channel } = await testPlane();
    await call("POST", "/admin/pause");
    expect(channel.last.gate).toMatchObject({ kind: "pause", max: 1000, timeout: 30_000 });
    expect((await call("GET", "/admin/state")).body.gate.reason).toBeNull();
  });

  it.each([
    [{ max: -1 }, /max/],
    [{ max: 1.5 }, /max/],
    [{ max: 1e9 }, /max/],
    [{ timeout: "0s" }, /timeout: "0s"; expected a duration with its unit, such as 30s, of at most 10m/],
    [{ timeout: "11m" }, /at most 10m/],
    [{ for: "25h" }, /for: "25h"; .* at most 24h/],
    [{ for: 5 }, /for/],
    [{ until: "noon" }, /until/],
    ["{", /JSON/],
    [[], /expected an object/],
  ])("refuses a bad value and changes nothing: %j", async (body, message) => {
    const { call, plane } = await testPlane();
    const { revision } = plane.store.view.routing;
    const answer = await call("POST", "/admin/pause", body);
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toMatch(message);
    expect(plane.store.view.routing.revision).toBe(revision);
  });

  it("ends by itself when its time is over, and says so", async () => {
    const { call, channel, clock, log } = await testPlane();
    await call("POST", "/admin/pause", { for: "1m" });
    await clock.advance(MINUTE - 1);
    expect(channel.last.gate).toBeDefined();
    await clock.advance(1);
    expect(channel.last.gate).toBeUndefined();
    expect(log.text).toContain("warn: Nobody has ended the pause within its time: requests go on.");
    const [entry] = (await call("GET", "/admin/history")).body.history;
    expect(entry).toMatchObject({ kind: "resume", who: "the pause's time-out", gate: "open" });
  });

  it("lasts for the new time when it is asked for anew", async () => {
    const { call, channel, clock } = await testPlane();
    await call("POST", "/admin/pause", { for: "1m" });
    await clock.advance(MINUTE / 2);
    await call("POST", "/admin/pause", { for: "1m" });
    await clock.advance(MINUTE - 1);
    expect(channel.last.gate).toBeDefined();
    await clock.advance(1);
    expect(channel.last.gate).toBeUndefined();
  });

  it("outlives a restart, and ends on time after it", async () => {
    const state = temporaryFolder();
    const first = await testPlane({ state });
    await first.call("POST", "/admin/pause", { for: "1m", max: 7, reason: "swap" });
    await first.plane.stop();
    const second = await testPlane({ state });
    expect(second.channel.last.gate).toMatchObject({ kind: "pause", max: 7, reason: "swap" });
    await second.clock.advance(MINUTE);
    expect(second.channel.last.gate).toBeUndefined();
    await second.plane.stop();
    const third = await testPlane({ state });
    expect(third.channel.last.gate).toBeUndefined();
    await third.plane.stop();
  });

  it("outlives a restart with other colors", async () => {
    const state = temporaryFolder();
    const first = await testPlane({ state });
    await first.call("POST", "/admin/maintenance", { on: true });
    await first.plane.stop();
    const colors = { red: { weight: 1, targets: [BLUE] }, green: { weight: 0, targets: [GREEN] } };
    const second = await testPlane({ state, colors });
    expect(second.channel.last.gate).toMatchObject({ kind: "maintenance" });
    await second.plane.stop();
  });

  it("is resumed though the disk is full, and the answer says that it is not saved", async () => {
    const state = temporaryFolder();
    const { call, channel, disk, plane } = await testPlane({ state });
    await call("POST", "/admin/pause");
    disk.faults.set("write", "ENOSPC");
    expect((await call("POST", "/admin/pause", { max: 3 })).status).toBe(507);
    expect(channel.last.gate).toMatchObject({ max: 1000 });
    const answer = await call("POST", "/admin/resume");
    expect([answer.status, answer.body.saved]).toEqual([200, false]);
    expect(channel.last.gate).toBeUndefined();
    disk.faults.clear();
    await plane.stop();
  });

  it.each([
    ["resume", {}],
    ["maintenance", { on: false }],
  ])("that there is not changes nothing when it is ended by %s", async (name, body) => {
    const { call, plane, channel } = await testPlane();
    const { revision } = plane.store.view.routing;
    const { epoch } = channel.last;
    const stale = { "If-Match": '"999"' };
    expect((await call("POST", `/admin/${name}`, body, stale)).status).toBe(412);
    const answer = await call("POST", `/admin/${name}`, { ...body, reason: "to be sure" });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ revision, epoch, gate: null, changed: false });
    expect(channel.last.epoch).toBe(epoch);
    expect((await call("GET", "/admin/history")).body.history).toEqual([]);
    await call("POST", "/admin/pause");
    const after = await call("POST", "/admin/resume");
    expect(after.body).toMatchObject({ revision: revision + 2, gate: null, changed: true });
  });

  it("that still waits for a slow disk is ended by a resume, which drops no change where nobody is held", async () => {
    const { channel, disk, plane } = await testPlane({ state: temporaryFolder() });
    const { store } = plane;
    const slow = Promise.withResolvers<void>();
    disk.hang = slow.promise;
    const meta = { who: "ana" };
    const gate = { kind: "pause", max: 1, timeout: 1000, until: Number.MAX_SAFE_INTEGER } as const;
    const changes = [
      store.apply({ kind: "weights", weights: { blue: 1, green: 3 } }, meta),
      store.apply({ kind: "pause", gate }, meta),
      store.apply({ kind: "resume" }, meta),
    ];
    disk.hang = undefined;
    slow.resolve();
    expect((await Promise.all(changes)).map(({ state }) => state.gate?.kind)).toEqual([
      undefined,
      "pause",
      undefined,
    ]);
    expect(channel.last).toMatchObject({ gate: undefined, colors: [{ weight: 1 }, { weight: 3 }] });
    await plane.stop();
  });

  it("is not resumed into nothing, unless it is forced", async () => {
    const { call, clock, probe, channel } = await testPlane();
    await call("POST", "/admin/pause", { for: "24h" });
    probe.down(BLUE, GREEN);
    await clock.advance(10_000);
    const answer = await call("POST", "/admin/resume");
    expect([answer.status, answer.body.code]).toEqual([409, "no_healthy_target"]);
    expect(answer.body.detail).toContain("No color with weight (blue, green) has a healthy target");
    expect(channel.last.gate).toBeDefined();
    expect((await call("POST", "/admin/resume", { force: true })).status).toBe(200);
    expect((await call("POST", "/admin/resume")).status).toBe(200); // nothing waits, so nothing is lost
  });

  it("minds If-Match, both ways", async () => {
    const { call, plane } = await testPlane();
    const stale = { "If-Match": '"999"' };
    expect((await call("POST", "/admin/pause", {}, stale)).status).toBe(412);
    await call("POST", "/admin/pause");
    expect((await call("POST", "/admin/resume", {}, stale)).status).toBe(412);
    const now = { "If-Match": `"${plane.store.view.routing.revision}"` };
    expect((await call("POST", "/admin/resume", {}, now)).status).toBe(200);
  });

  it("answers wait=drained once nothing is in flight, of any color, tunnels only if asked", async () => {
    const { call, channel, clock } = await testPlane();
    channel.count({ blue: { inFlight: 1 }, green: { inFlight: 1, tunnels: 2 } });
    const asked = { plain: call("POST", "/admin/pause?wait=drained&timeout=10s") };
    let early: Answer | undefined;
    void asked.plain.then((answer) => {
      early = answer;
    });
    await clock.advance(1000);
    expect(early).toBeUndefined();
    channel.count({ blue: { inFlight: 0 }, green: { inFlight: 0 } });
    await clock.advance(1000);
    expect((await asked.plain).body).toMatchObject({ drained: true, in_flight: { blue: 0, green: 0 } });
    const tunnels = call("POST", "/admin/pause?wait=drained&timeout=1s&tunnels=true");
    await clock.advance(1000);
    expect((await tunnels).body).toMatchObject({ drained: false, tunnels: { blue: 0, green: 2 } });
    expect((await call("POST", "/admin/pause?tunnels=true")).status).toBe(400);
  });
});

describe("a flip", () => {
  it("is drained with tunnels open, unless they are asked for", async () => {
    const { call, channel, clock } = await testPlane();
    channel.count({ blue: { tunnels: 3 } });
    const plain = await call("POST", "/admin/flip?wait=drained", { to: "green" });
    expect(plain.body).toMatchObject({ drained: true, in_flight: { blue: 0 } });
    expect(plain.body.tunnels).toBeUndefined();
    const strict = call("POST", "/admin/flip?wait=drained&tunnels=true&timeout=1s", { to: "green" });
    await clock.advance(1000);
    expect((await strict).body).toMatchObject({ drained: false, tunnels: { blue: 3 } });
    expect((await call("GET", "/admin/state")).body.colors[0]).toMatchObject({ in_flight: 0, tunnels: 3 });
  });
});

describe("maintenance", () => {
  it("turns requests away with a message until it is ended", async () => {
    const { call, channel } = await testPlane();
    const answer = await call("POST", "/admin/maintenance", {
      on: true,
      message: " Back at noon. ",
      retry_after: "90s",
    });
    expect(answer.body.gate).toEqual({ kind: "maintenance", message: "Back at noon.", retry_after: 90 });
    expect(channel.last.gate).toEqual({ kind: "maintenance", message: "Back at noon.", retryAfter: 90 });
    expect((await call("GET", "/readyz")).body).toEqual({ status: "maintenance" });
    expect((await call("POST", "/admin/maintenance", { on: false })).body.gate).toBeNull();
    expect((await call("GET", "/readyz")).body).toEqual({ status: "ready" });
  });

  it("takes the place of a pause, and is not taken for one", async () => {
    const { call, channel, clock } = await testPlane();
    await call("POST", "/admin/pause", { for: "1m" });
    expect((await call("POST", "/admin/maintenance", { on: false })).body.code).toBe("not_in_maintenance");
    await call("POST", "/admin/maintenance", { on: true });
    expect((await call("POST", "/admin/pause")).body.code).toBe("in_maintenance");
    expect((await call("POST", "/admin/resume")).body.code).toBe("in_maintenance");
    await clock.advance(2 * MINUTE); // the time of the pause that was
    expect(channel.last.gate).toMatchObject({ kind: "maintenance" });
  });

  it.each([
    [undefined, /body is missing/],
    [{}, /on/],
    [{ on: "yes" }, /on/],
    [{ on: true, message: "" }, /message: expected text of 1 to 500 characters/],
    [{ on: true, message: "a\u0000b" }, /message: expected text without control characters/],
    [{ on: true, message: "x".repeat(501) }, /message: expected text of 1 to 500 characters/],
    [{ on: true, retry_after: "soon" }, /retry_after: "soon"/],
  ])("refuses a bad body: %j", async (body, message) => {
    const { call } = await testPlane();
    const answer = await call("POST", "/admin/maintenance", body);
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toMatch(message);
  });
});

describe("while the gate is closed", () => {
  it("/readyz says so and answers 200, with every target down, too", async () => {
    const { call, clock, probe } = await testPlane();
    await call("POST", "/admin/pause", { for: "1h" });
    probe.down(BLUE, GREEN);
    await clock.advance(10_000);
    const paused = await call("GET", "/readyz");
    expect([paused.status, paused.body]).toEqual([200, { status: "paused" }]);
    await call("POST", "/admin/resume", { force: true });
    expect((await call("GET", "/readyz")).status).toBe(503);
  });

  it("metrics say so", async () => {
    const { call, channel } = await testPlane();
    const metric = async (name: string) => {
      const text = String((await call("GET", "/metrics")).body);
      return text
        .split("\n")
        .find((line) => line.startsWith(`sluice_${name} `) || line.startsWith(`sluice_${name}{`));
    };
    expect(await metric("paused")).toBe("sluice_paused 0");
    await call("POST", "/admin/pause");
    channel.count({ none: { held: 4, gated: { full: 2 } }, blue: { tunnels: 3 } });
    expect(await metric("paused")).toBe("sluice_paused 1");
    expect(await metric("maintenance")).toBe("sluice_maintenance 0");
    expect(await metric("requests_held")).toBe("sluice_requests_held 4");
    expect(await metric("tunnels")).toBe('sluice_tunnels{color="blue"} 3');
    const text = String((await call("GET", "/metrics")).body);
    expect(text).toContain('sluice_gated_requests_total{result="full"} 2');
    expect(text).toContain('sluice_gated_requests_total{result="resumed"} 0');
  });
});
