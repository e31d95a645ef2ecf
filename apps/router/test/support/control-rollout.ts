import { expect, vi } from "vitest";
import type { Tally } from "../../src/core/evidence/tally.ts";
import { TallyCounter } from "../../src/core/evidence/tally-counter.ts";
import type { Report } from "../../src/core/report.ts";
import { EMPTY_COLOR } from "../../src/core/report-sums.ts";
import type { RunReport } from "../../src/core/rollout/counting.ts";
import { BLUE, GREEN, testPlane } from "./control-plane.ts";

export const COLORS = { blue: { weight: 100, targets: [BLUE] }, green: { weight: 0, targets: [GREEN] } };
export const says = (version: string, digest: string) => ({ ok: true, detail: "200 OK", version, digest });
export const PLAN = {
  candidate: "green",
  steps: [10, 50],
  step_min: "10s",
  step_requests: 100,
  bake: "30s",
  reason: "a better model",
};

/** A control plane with both versions known, and a data plane that counts what a test says. */
export async function scene(
  changes: Parameters<typeof testPlane>[0] = {},
  more: Parameters<typeof testPlane>[1] = {},
) {
  const test = await testPlane({ colors: COLORS, ...changes }, more);
  test.probe.results.set(BLUE, says("1.0.0", "old"));
  test.probe.results.set(GREEN, says("1.0.1", "new"));
  await test.clock.advance(5000);
  const counter = new Counting();
  return {
    ...test,
    /** Requests of both colors by weight, with so many bad ones, and a look at them. */
    async serve(
      n: number,
      bad: { candidate?: number; stable?: number } = {},
      inFlight: Record<string, number> = {},
    ) {
      const { rollout, ...snapshot } = test.channel.last;
      const rho = snapshot.colors.find(({ name }) => name === "green")!.share;
      const own = Math.round(n * rho);
      counter.add(rho, own, bad.candidate ?? 0, n - own, bad.stable ?? 0);
      const runs = rollout ? [counter.run(rollout.id)] : [];
      const colors = Object.fromEntries(
        Object.entries(inFlight).map(([name, count]) => [name, { ...EMPTY_COLOR, inFlight: count }]),
      );
      const report: Report = { worker: 0, epoch: test.channel.last.epoch, colors, connections: 0, runs };
      test.channel.set(report);
      test.channel.report();
      await test.clock.advance(500);
    },
    current: async () => (await test.call("GET", "/admin/rollouts/current")).body,
    phase: async () => (await test.call("GET", "/admin/rollouts/current")).body.phase as string,
    weights: async () => (await test.call("GET", "/admin/state")).body.weights as Record<string, number>,
  };
}

class Counting {
  readonly #errors = new TallyCounter();

  add(rho: number, own: number, bad: number, others: number, othersBad: number): void {
    this.#errors.add(rho, true, true, bad);
    this.#errors.add(rho, true, false, own - bad);
    this.#errors.add(rho, false, true, othersBad);
    this.#errors.add(rho, false, false, others - othersBad);
  }

  run(rollout: string): RunReport {
    const tallies: Record<string, Tally> = { errors: this.#errors.tally() };
    return { run: "run", rollout, tallies, histograms: {}, users: {} };
  }
}

export type Scene = Awaited<ReturnType<typeof scene>>;

/** The same with a rollout in its first step. */
export async function started(
  changes: Parameters<typeof testPlane>[0] = {},
  plan: object = {},
): Promise<Scene> {
  const test = await scene(changes);
  const { status, body } = await test.call("POST", "/admin/rollouts", { ...PLAN, ...plan });
  expect(body.detail).toBeUndefined();
  expect(status).toBe(200);
  await vi.waitFor(async () => {
    await test.clock.advance(250); // a real disk takes its own time
    expect(await test.weights()).toEqual({ blue: 90, green: 10 });
    expect(await test.phase()).toBe("shifting");
  });
  await test.clock.advance(500);
  return test;
}

/** Serves good answers, while time passes, until the rollout is in `phase`. */
export async function servedUntil(test: Scene, phase: string): Promise<void> {
  for (let i = 0; i < 200 && (await test.phase()) !== phase; i++) {
    await test.serve(200);
    await test.clock.advance(2000);
  }
  expect(await test.phase()).toBe(phase);
}
