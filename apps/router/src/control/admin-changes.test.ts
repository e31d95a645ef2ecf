import { beforeEach, describe, expect, it } from "vitest";
import { BLUE, GREEN, pending, testPlane } from "../../test/support/control-plane.ts";
import { settle } from "../../test/support/fake-clock.ts";

type Parts = Awaited<ReturnType<typeof testPlane>>;
let parts: Parts;
beforeEach(async () => {
  parts = await testPlane();
});

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
