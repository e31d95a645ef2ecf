import { describe, expect, it, vi } from "vitest";
import { BLUE, GREEN, testConfig, testPlane } from "../../../test/support/control-plane.ts";
import { passed } from "../../../test/support/fake-probe.ts";
import { parsePointer } from "../../core/predictions/pointer.ts";
import { SketchCounter } from "../../core/predictions/sketch.ts";
import { PairBook } from "../../core/shadow/pairs.ts";

const PREDICTIONS = { pointer: parsePointer("/predictions/*/fare_amount"), range: undefined, paths: [] };
const COLORS = { blue: { weight: 100, targets: [BLUE] }, green: { weight: 0, targets: [GREEN] } };
const PLAN = { candidate: "green", steps: [10, 50], step_min: "10s", bake: "30s" };

async function scene({ reads = true } = {}) {
  const predictions = reads ? PREDICTIONS : undefined;
  const test = await testPlane({ colors: COLORS, predictions });
  test.probe.results.set(BLUE, { ...passed, version: "1.0.0", digest: "old" });
  test.probe.results.set(GREEN, { ...passed, version: "1.0.1", digest: "new" });
  await test.clock.advance(5000);
  test.channel.report();
  return {
    ...test,
    /** Blue has predicted so much since the router began. */
    predicted: async (...values: number[]) => {
      const counter = new SketchCounter();
      for (const value of values) counter.add(value);
      const answers = { read: values.length, faults: {}, skipped: {}, predictions: counter.sketch() };
      test.channel.count({ blue: { answers } });
      await test.call("GET", "/admin/state");
      test.channel.report();
    },
    release: (more: object = {}) => test.call("POST", "/admin/rollouts", { ...PLAN, ...more }),
    current: async () => (await test.call("GET", "/admin/rollouts/current")).body,
    /** Tallies that the data plane is told to count, by name. */
    counted: () => (test.channel.last.rollout?.tallies ?? []).map(({ kind }) => kind),
  };
}

/** 25 %, 50 % and 75 % of these lie below about 2.5, 5 and 7.5. */
const FARES = Array.from({ length: 400 }, (_, i) => 0.025 * (i + 0.5));

describe("guards on answers", () => {
  it("are there by themselves where predictions are read, with the stable color's quartiles frozen", async () => {
    const test = await scene();
    await test.predicted(...FARES);
    const { status, body } = await test.release();
    expect(body.detail).toBeUndefined();
    expect(status).toBe(200);
    const { tallies, reference } = test.channel.last.rollout!;
    const shifts = tallies.filter(({ kind }) => kind === "shift");
    expect(shifts.map(({ name, parameters }) => [name, parameters])).toEqual([
      [`high:${reference!.q75}`, { above: reference!.q75 }],
      [`low:${reference!.q25}`, { below: reference!.q25 }],
    ]);
    expect(Math.abs(reference!.q25 - 2.5)).toBeLessThan(0.1);
    expect(Math.abs(reference!.q75 - 7.5)).toBeLessThan(0.2);
    expect(test.counted()).toContain("answers");
  });

  it("leave a shift to people where a better model is expected", async () => {
    const test = await scene();
    await test.predicted(...FARES);
    await test.release({ expect: "better" });
    expect(test.counted()).not.toContain("shift");
    expect(test.counted()).toContain("answers");
  });

  it("are not there where nothing is read, and say so where they are asked for", async () => {
    const test = await scene();
    expect((await test.release({ guards: { shift: {} } })).body.detail).toMatch(/too few predictions/);
    const none = await scene({ reads: false });
    expect((await none.release({ guards: { answers: {} } })).body.detail).toMatch(/has no `predictions`/);
    expect((await none.release({ guards: { shift: {} } })).body.detail).toMatch(/has no `predictions`/);
    expect((await none.release({ guards: { answers: { maximum: 1 } } })).status).toBe(400);
    await none.release();
    expect(none.counted()).not.toContain("answers");
  });

  it("freeze nothing of the version before", async () => {
    const test = await scene();
    await test.predicted(...FARES);
    test.probe.results.set(BLUE, { ...passed, version: "1.0.0b", digest: "older" });
    await test.clock.advance(3000);
    test.channel.report();
    expect((await test.release({ guards: { shift: {} } })).body.detail).toMatch(/too few predictions/);
    await test.predicted(...FARES, ...FARES.slice(0, 150).map((fare) => fare + 100));
    expect((await test.release({ guards: { shift: {} } })).status).toBe(200);
    expect(test.channel.last.rollout!.reference!.q25).toBeGreaterThan(99);
  });
});

describe("quartiles of the stable color", () => {
  it("are not frozen from what was read elsewhere in answers", async () => {
    const test = await scene();
    await test.predicted(...FARES);
    const elsewhere = { ...PREDICTIONS, pointer: parsePointer("/predictions/*/tip") };
    await test.plane.reload(testConfig({ colors: COLORS, predictions: elsewhere }));
    await test.clock.advance(3000);
    test.channel.report();
    expect((await test.release({ guards: { shift: {} } })).body.detail).toMatch(/too few predictions/);
  });
});

describe("the gate `shadow`", () => {
  const agreeing = async (test: Awaited<ReturnType<typeof scene>>, count: number) => {
    const book = new PairBook(0);
    for (let i = 0; i < count; i++)
      book.add({ agrees: true, difference: 0, main: 1, shadow: 1 }, {}, () => undefined as never);
    const { epoch, shadow } = test.channel.last;
    const run = { id: shadow!.id, run: "w", pairs: book.report() };
    test.channel.set({ worker: 0, epoch, colors: {}, connections: 0, shadow: run });
    test.channel.report();
  };

  it("holds the first step back until 363 pairs agree", async () => {
    const test = await scene();
    await test.call("POST", "/admin/shadow", { color: "green" });
    await agreeing(test, 300);
    const { status } = await test.release({ checks: ["shadow"] });
    expect(status).toBe(200);
    await test.clock.advance(5000);
    expect(await test.current()).toMatchObject({ phase: "preparing" });
    expect(JSON.stringify(await test.current())).toContain("63 more that agree would show");
    await agreeing(test, 363);
    await vi.waitFor(async () => {
      await test.clock.advance(1000); // a real disk takes its own time
      expect((await test.current()).phase).toBe("shifting");
    });
    expect(test.channel.last.shadow).toBeUndefined();
    expect(JSON.stringify(await test.current())).toContain(
      "0 of 363 pairs disagree: fewer than 1 % disagree, at 95 %",
    );
  });

  it("does not wait for pairs where nothing is read that could be compared", async () => {
    const test = await scene({ reads: false });
    expect((await test.call("POST", "/admin/shadow", { color: "green" })).status).toBe(200);
    await test.release({ checks: ["shadow"] });
    await test.clock.advance(5000);
    const { phase, log } = await test.current();
    expect(phase).toMatch(/^roll/);
    expect(JSON.stringify(log)).toContain("the configuration has no `predictions`, so nothing is compared");
  });

  it("refuses a candidate that nobody compared", async () => {
    const test = await scene();
    await test.release({ checks: ["shadow"] });
    await test.clock.advance(5000);
    const { phase, weights } = await test.current();
    expect(phase).not.toBe("shifting");
    expect(JSON.stringify(weights)).not.toContain('"candidate":10');
    expect(JSON.stringify(await test.current())).toContain("sluice shadow start green");
  });
});
