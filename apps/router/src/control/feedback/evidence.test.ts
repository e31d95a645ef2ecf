import { describe, expect, it, vi } from "vitest";
import { BLUE, GREEN, testPlane } from "../../../test/support/control-plane.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { Served } from "../../core/feedback/served.ts";
import { parsePointer } from "../../core/predictions/pointer.ts";

const COLORS = { blue: { weight: 100, targets: [BLUE] }, green: { weight: 0, targets: [GREEN] } };
const START = Date.parse("2026-11-21T12:00:00Z");
const says = (version: string, digest: string) => ({ ok: true, detail: "200 OK", version, digest });
const PLAN = { candidate: "green", steps: [10, 50], step_requests: 100, checks: [] };

/** A control plane that knows both versions, and a data plane that answers as a test says. */
async function scene(state: string | undefined, more: object = {}) {
  const feedback = { remember: 86_400_000, max: 10_000, sample: 1 };
  const predictions = { pointer: parsePointer("/predictions/*/fare_amount"), range: undefined, paths: [] };
  const config = { colors: COLORS, state, feedback, predictions };
  const test = await testPlane({ ...config, ...more });
  test.probe.results.set(BLUE, says("1.0.0", "old"));
  test.probe.results.set(GREEN, says("1.0.1", "new"));
  await test.clock.advance(5000);
  const told = (all: readonly Served[]) => {
    test.channel.set({ worker: 0, epoch: test.channel.last.epoch, colors: {}, connections: 0, served: all });
    test.channel.report();
  };
  const tell = async (items: readonly (readonly [id: string, actual: number])[]) => {
    const body = items.map(([request_id, actual]) => ({ request_id, actual }));
    const { status, body: answer } = await test.call("POST", "/feedback", body);
    expect(status).toBe(202);
    return answer;
  };
  return {
    ...test,
    told,
    tell,
    /** Waits for the first step. */
    async start(plan: object) {
      const { status, body } = await test.call("POST", "/admin/rollouts", { ...PLAN, ...plan });
      if (status === 200) {
        await vi.waitFor(async () => {
          await test.clock.advance(250); // a real disk takes its own time
          expect((await test.call("GET", "/admin/state")).body.weights.green).toBe(10);
        });
      }
      return { status, body };
    },
    reading: async (guard: string) => {
      const { body } = await test.call("GET", "/admin/rollouts/current");
      return body.guards.find((one: { guard: string }) => one.guard === guard);
    },
  };
}

const served = (id: string, color: "blue" | "green", more: Partial<Served> = {}): Served => ({
  id,
  at: START,
  color,
  digest: color === "blue" ? "old" : "new",
  predictions: [10],
  ...more,
});
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

describe("errors above the limit", () => {
  it("become evidence once for each request, at the weight that it was assigned under, however late and often", async () => {
    const state = temporaryFolder();
    const test = await scene(state);
    await test.start({ guards: { truth: { limit: 3 } } });
    test.told([
      ...range(4).map((i) => served(`own-${i}`, "green", { rho: 0.1 })),
      ...range(6).map((i) => served(`other-${i}`, "blue", { rho: 0.1 })),
      served("forced", "green"),
      served("older", "green", { digest: "before", rho: 0.1 }),
    ]);
    const all = [
      ...range(4).map((i) => [`own-${i}`, i < 3 ? 20 : 12] as const),
      ...range(6).map((i) => [`other-${i}`, i < 1 ? 20 : 13] as const),
      ["forced", 20] as const,
      ["older", 20] as const,
    ];
    expect(await test.tell([...all, ...all])).toEqual({ accepted: 12, repeated: 12, unknown: 0 });
    await test.tell(all);
    await test.clock.advance(3000);
    const counted = {
      candidate: { requests: 4, bad: 3 },
      stable: { requests: 6, bad: 1 },
    };
    expect(await test.reading("truth")).toMatchObject(counted);
    await test.plane.stop();
    const next = await scene(state);
    await next.tell(all);
    await next.clock.advance(1000);
    expect(await next.reading("truth")).toMatchObject(counted);
    await next.plane.stop();
  });

  it("of a request whose rows are told one by one become evidence at the first", async () => {
    const test = await scene(undefined);
    await test.start({ guards: { truth: { limit: 3 } } });
    test.told([served("rows", "green", { rho: 0.1, predictions: [10, 10, 10] })]);
    for (const row of [2, 0, 1]) {
      const { body } = await test.call("POST", "/feedback", { request_id: "rows", row, actual: 20 });
      expect(body).toMatchObject({ accepted: 1 });
    }
    await test.clock.advance(2000);
    expect(await test.reading("truth")).toMatchObject({ candidate: { requests: 1, bad: 1 } });
    await test.plane.stop();
  });

  it("roll a candidate back, with their arithmetic", async () => {
    const test = await scene(temporaryFolder());
    await test.start({ guards: { truth: { limit: 3 } } });
    test.told(range(12).map((i) => served(`${i}`, "green", { rho: 0.1 })));
    await test.tell(range(12).map((i) => [`${i}`, 20]));
    await vi.waitFor(async () => {
      await test.clock.advance(250);
      expect((await test.call("GET", "/admin/state")).body.weights).toEqual({ blue: 100, green: 0 });
    });
    const { body } = await test.call("GET", "/admin/rollouts/current");
    expect(JSON.stringify(body.log)).toMatch(
      /truth: candidate 12 of 12, stable 0 of 0; evidence [^:]* ≥ 100: roll back/,
    );
    await test.plane.stop();
  });

  it("are no evidence while the disk cannot keep them from counting twice", async () => {
    const test = await scene(temporaryFolder());
    await test.start({ guards: { truth: { limit: 3 } } });
    test.disk.faults.set("append", "ENOSPC");
    test.told([served("1", "green", { rho: 0.1 })]);
    const telling = test.tell([["1", 20]]);
    await test.clock.advance(3000);
    expect(await telling).toMatchObject({ accepted: 1, saved: false });
    expect(await test.reading("truth")).toMatchObject({ candidate: { requests: 0 } });
    test.disk.faults.clear();
    await vi.waitFor(async () => {
      await test.clock.advance(5000);
      expect(await test.reading("truth")).toMatchObject({ candidate: { requests: 1, bad: 1 } });
    });
    await test.plane.stop();
  });

  it("count once for each user with affinity", async () => {
    const test = await scene(undefined, { affinity: { kind: "cookie", name: "user" } });
    await test.start({ guards: { truth: { limit: 3 } } });
    test.told(range(8).map((i) => served(`${i}`, "green", { rho: 0.1, user: i % 2 })));
    await test.tell(range(8).map((i) => [`${i}`, i < 6 ? 20 : 10]));
    expect(await test.reading("truth")).toMatchObject({ candidate: { requests: 4, bad: 2 } });
    await test.plane.stop();
  });

  it("have the upper quartile of the stable color's errors as their limit, once 100 are known", async () => {
    const test = await scene(undefined);
    const { status, body } = await test.start({ guards: ["truth"] });
    expect([status, body.detail]).toEqual([
      400,
      expect.stringMatching(/"limit" is missing, and fewer than 100/),
    ]);
    test.told(range(100).map((i) => served(`${i}`, "blue")));
    await test.tell(range(100).map((i) => [`${i}`, 10 + i / 10]));
    await test.start({ guards: ["truth"] });
    const tallies = test.channel.last.rollout!.tallies.filter(({ kind }) => kind === "truth");
    expect(tallies).toEqual([{ name: "truth:7.4", kind: "truth", parameters: { limit: 7.4 } }]);
    await test.plane.stop();
  });

  it.each([
    [{ truth: { limit: -1 } }, /guards\.truth\.limit is -1; expected a number of at least 0/],
    [{ truth: { limit: "3" } }, /guards\.truth\.limit is "3"; expected a number/],
    [{ truth: { limit: 3, odds: 1 } }, /"odds" is about pairs/],
    [{ truth: { limits: 3 } }, /guards\.truth has no option "limits"; expected limit, phi0, odds/],
  ])("refuse %j", async (guards, sentence) => {
    const test = await scene(undefined);
    const { status, body } = await test.start({ guards });
    expect([status, body.detail]).toEqual([400, expect.stringMatching(sentence)]);
  });
});

describe("pairs of errors on the same trips", () => {
  const copied = (from: number, to: number) =>
    range(to - from).flatMap((i) => [
      served(`${from + i}`, "blue"),
      served(`${from + i}`, "green", {
        predictions: [i % 10 === 9 ? 10 : i % 5 === 4 ? 8 : 12],
        shadow: true,
      }),
    ]);

  it("count from before the rollout, and during it, once; ties do not", async () => {
    const state = temporaryFolder();
    const test = await scene(state);
    test.told(copied(0, 20));
    await test.tell(range(20).map((i) => [`${i}`, 12]));
    await test.start({ expect: "better", guards: ["truth"] });
    const pairs = (all: number, lost: number) => ({ pairs: { requests: all, bad: lost } });
    await vi.waitFor(async () => {
      test.told([]); // data planes report all the time
      await test.clock.advance(2000);
      // of 20: two ties, two of the candidate's errors larger
      expect(await test.reading("not worse on the same trips")).toMatchObject(pairs(18, 2));
    });
    test.told(copied(20, 30));
    await test.tell(range(30).map((i) => [`${i}`, 12]));
    await test.clock.advance(2000);
    expect(await test.reading("not worse on the same trips")).toMatchObject(pairs(27, 3));
    expect(await test.reading("worse on the same trips")).toMatchObject(pairs(27, 3));
    await test.plane.stop();
    const next = await scene(state);
    await next.clock.advance(3000);
    await next.tell(range(30).map((i) => [`${i}`, 12]));
    next.told(copied(30, 31));
    await next.tell([["30", 12]]); // answered once everything before it is on the disk, too
    expect(await next.reading("not worse on the same trips")).toMatchObject(pairs(28, 3));
    await next.plane.stop();
  });

  it("count once though their rows are told one by one, and another rollout of the two versions begins", async () => {
    const test = await scene(undefined);
    await test.start({ expect: "better", guards: ["truth"] });
    const rows = { predictions: [10, 10] };
    test.told([
      served("rows", "blue", rows),
      served("rows", "green", { predictions: [12, 12], shadow: true }),
    ]);
    for (const row of [0, 1]) await test.call("POST", "/feedback", { request_id: "rows", row, actual: 12 });
    test.told([
      served("swapped", "green", { predictions: [12] }), // from when it had the traffic, and the other was its shadow
      served("swapped", "blue", { shadow: true }),
    ]);
    await test.tell([["swapped", 12]]);
    const both = { pairs: { requests: 2, bad: 0 } };
    await test.clock.advance(2000);
    expect(await test.reading("not worse on the same trips")).toMatchObject(both);
    await test.call("POST", "/admin/rollouts/current/abort", {});
    await test.clock.advance(2000);
    await test.start({ expect: "better", guards: { truth: { limit: 5 } } });
    test.told([]);
    await test.clock.advance(2000);
    expect(await test.reading("not worse on the same trips")).toMatchObject(both);
    await test.plane.stop();
  });

  it("are a guard of a rollout that expects better, whether it names guards or not", async () => {
    const test = await scene(undefined);
    await test.start({ expect: "better" });
    expect(await test.reading("not worse on the same trips")).toMatchObject({
      role: "promotion",
      reached: false,
    });
    expect(await test.reading("truth")).toBeUndefined();
    await test.plane.stop();
  });

  it("are asked for in a warning as long as there are too few", async () => {
    const test = await scene(undefined);
    await test.start({ expect: "better" });
    const warnings = async () => (await test.call("GET", "/admin/rollouts/current")).body.warnings;
    expect(await warnings()).toEqual([expect.stringContaining("promotion needs: there are no pairs.")]);
    const copied = range(10).map(String);
    test.told([
      ...copied.map((id) => served(id, "blue")),
      ...copied.map((id) => served(id, "green", { predictions: [12], shadow: true })),
    ]);
    await test.tell([["1", 12]]);
    await test.clock.advance(2000);
    expect(await warnings()).toEqual([expect.stringContaining("green has won 1 of 1 pairs.")]);
    await test.tell(copied.map((id) => [id, 12]));
    await test.clock.advance(2000);
    expect(await warnings()).toEqual([]);
    await test.plane.stop();
  });
});
