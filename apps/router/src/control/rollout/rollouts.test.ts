import { describe, expect, it, vi } from "vitest";
import { BLUE, GREEN, testConfig, testPlane } from "../../../test/support/control-plane.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { Tally } from "../../core/evidence/tally.ts";
import { TallyCounter } from "../../core/evidence/tally-counter.ts";
import type { Report } from "../../core/report.ts";
import { EMPTY_COLOR } from "../../core/report-sums.ts";
import type { RunReport } from "../../core/rollout/counting.ts";

const COLORS = { blue: { weight: 100, targets: [BLUE] }, green: { weight: 0, targets: [GREEN] } };
const says = (version: string, digest: string) => ({ ok: true, detail: "200 OK", version, digest });
const PLAN = {
  candidate: "green",
  steps: [10, 50],
  step_min: "10s",
  step_requests: 100,
  bake: "30s",
  reason: "a better model",
};

/** A control plane with both versions known, and a data plane that counts what a test says. */
async function scene(
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

type Scene = Awaited<ReturnType<typeof scene>>;

async function started(changes: Parameters<typeof testPlane>[0] = {}, plan: object = {}): Promise<Scene> {
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

async function servedUntil(test: Scene, phase: string): Promise<void> {
  for (let i = 0; i < 200 && (await test.phase()) !== phase; i++) {
    await test.serve(200);
    await test.clock.advance(2000);
  }
  expect(await test.phase()).toBe(phase);
}

describe("a rollout", () => {
  it("gives an equal candidate all requests, by its steps, and keeps a record", async () => {
    const test = await started();
    expect(await test.weights()).toEqual({ blue: 90, green: 10 });
    await servedUntil(test, "baking");
    expect(await test.weights()).toEqual({ blue: 0, green: 100 });
    expect((await test.call("GET", "/admin/state")).body.standby).toBe("blue");
    await servedUntil(test, "promoted");
    const record = await test.current();
    expect(record).toMatchObject({ by: "local", reason: "a better model", over: true });
    expect(record.weights.map(({ candidate }: { candidate: number }) => candidate)).toEqual([0, 10, 50, 100]);
    expect(test.channel.last.rollout).toBeUndefined();
  });

  it("rolls a bad candidate back with its arithmetic, at once", async () => {
    const test = await started();
    await test.serve(200, { candidate: 5 });
    expect(await test.weights()).toEqual({ blue: 100, green: 0 });
    await test.clock.advance(1000);
    const record = await test.current();
    expect(record.phase).toBe("rolled_back");
    const [line] = record.log.filter(({ event }: { event: string }) => event === "rollback");
    expect(line.reason).toMatch(
      /^errors: candidate 5 of 20, stable 0 of 180; evidence [\d,]+ ≥ 300: roll back$/,
    );
    expect(record.verdict).toMatchObject({ decision: "rollback", guard: "errors" });
    await test.serve(2000, { stable: 500 }); // what comes in late, as on another color's requests
    expect((await test.current()).verdict).toEqual(record.verdict);
    const { body } = await test.call("GET", "/metrics");
    expect(body).toContain('sluice_rollout_decisions_total{decision="rollback",reason="errors"} 1');
    expect(body).toContain('sluice_rollout_phase{phase="rolled_back"} 1');
    expect(body).toMatch(/sluice_rollout_evidence_log10{guard="errors",role="rollback"} [2-9]/);
    // whoever asks for a rollback now must not be sent to what is broken
    await test.call("POST", "/admin/rollback");
    expect(await test.weights()).toEqual({ blue: 100, green: 0 });
  });

  it("shows the verdict that it ended by, and its evidence, whatever is reported while it drains", async () => {
    const test = await started();
    await test.serve(200, { candidate: 5 }, { green: 1 });
    const decided = await test.current();
    expect(decided).toMatchObject({ phase: "rolling_back", verdict: { guard: "errors" } });
    await test.serve(2000, { stable: 500 }, { green: 1 });
    const later = await test.current();
    expect(later.own).not.toEqual(decided.own); // it goes on counting
    for (const key of ["verdict", "guards", "evidence"]) expect(later[key]).toEqual(decided[key]);
    await test.serve(0);
    await test.clock.advance(1000);
    const ended = await test.current();
    expect(ended.phase).toBe("rolled_back");
    for (const key of ["verdict", "guards", "evidence"]) expect(ended[key]).toEqual(decided[key]);
  });

  it("watches 100 % by its objective, and a rollback by hand does not lead to the candidate after that", async () => {
    const test = await started({}, { bake: "1h" });
    await servedUntil(test, "baking");
    await test.serve(200, { candidate: 60 });
    await test.clock.advance(1000);
    const record = await test.current();
    expect(record.phase).toBe("rolled_back");
    expect(record.log.at(-2).reason).toMatch(/^objective at most 5 %: candidate 60 of .*: roll back$/);
    await test.call("POST", "/admin/rollback");
    expect(await test.weights()).toEqual({ blue: 100, green: 0 });
  });

  it("remembers what it knows of two versions when it is tried again", async () => {
    const test = await started();
    await test.serve(200, { candidate: 5 });
    await test.clock.advance(2000);
    await test.call("POST", "/admin/rollouts", PLAN);
    await test.clock.advance(2000);
    expect(await test.phase()).toBe("rolled_back");
    expect((await test.call("GET", "/admin/rollouts")).body.rollouts).toHaveLength(2);
  });

  it("draws at random, with a salt and counters of its own, while it runs", async () => {
    const test = await scene({ split: "exact" });
    expect(test.channel.last).toMatchObject({ split: "exact", salt: "" });
    const { body } = await test.call("POST", "/admin/rollouts", {
      ...PLAN,
      guards: { slow: { after: "250ms" } },
    });
    await test.clock.advance(1000);
    const { rollout, ...snapshot } = test.channel.last;
    expect(snapshot).toMatchObject({ split: "random", salt: body.id });
    expect(rollout!.tallies.map(({ name }) => name)).toEqual(["errors", "assigned"]);
    await test.clock.advance(61_000);
    expect(test.channel.last.rollout!.tallies).toContainEqual({
      name: "slow:250ms",
      kind: "slow",
      parameters: { after: 250 },
    });
  });

  it("ends when the candidate runs another version, and pauses when the stable color does", async () => {
    const test = await started();
    test.probe.results.set(GREEN, says("1.0.2", "other"));
    await test.clock.advance(3000);
    expect(await test.phase()).toBe("rolled_back");
    expect((await test.current()).log.at(-2).reason).toContain("green runs another version now (other)");
    const second = await started();
    second.probe.results.set(BLUE, says("0.9.0", "older"));
    await second.clock.advance(3000);
    expect((await second.current()).paused.by).toBe("stable_changed");
  });
});

describe("a pause of the router", () => {
  it.each([
    ["pause", "resume", { for: "24h" }, {}],
    ["maintenance", "maintenance", { on: true }, { on: false }],
  ])(
    "%s holds a rollout whose candidate is away, and it goes on afterwards",
    async (close, open, on, off) => {
      const plan = { unavailable_limit: "5s", max_duration: "10m", on_timeout: "rollback" };
      const test = await started({}, plan);
      expect((await test.call("POST", `/admin/${close}`, on)).status).toBe(200);
      test.probe.results.set(GREEN, { ok: false, detail: "refused", version: undefined, digest: undefined });
      for (let i = 0; i < 40; i++) await test.clock.advance(30_000);
      expect(await test.current()).toMatchObject({
        phase: "shifting",
        share: 10,
        paused: null,
        next: "Its time stands still: the router is paused or in maintenance.",
      });
      test.probe.results.set(GREEN, says("1.0.1", "new"));
      await test.clock.advance(10_000);
      expect((await test.call("POST", `/admin/${open}`, off)).status).toBe(200);
      await servedUntil(test, "baking");
    },
  );
});

describe("people", () => {
  it("pause, resume, approve and skip", async () => {
    const test = await started({}, { gates: [50] });
    const say = (verb: string, body: object = {}) =>
      test.call("POST", `/admin/rollouts/current/${verb}`, body);
    expect((await say("pause", { reason: "lunch" })).body.paused.reason).toBe("lunch");
    expect((await say("resume")).body.paused).toBeNull();
    expect(await say("resume")).toMatchObject({ status: 409, body: { detail: "It is not paused." } });
    await servedUntil(test, "awaiting_approval");
    await test.clock.advance(20_000);
    expect(await test.weights()).toEqual({ blue: 90, green: 10 });
    expect(await say("promote")).toMatchObject({ status: 200, body: { phase: "shifting", share: 50 } });
    await test.clock.advance(1000);
    expect(await test.weights()).toEqual({ blue: 50, green: 50 });
    // a second click, or one that came too late, skips nothing
    const again = 'It is shifting; nothing waits for approval. "full" skips every wait.';
    expect(await say("promote")).toMatchObject({ status: 409, body: { detail: again } });
    await say("promote", { full: true, force: true });
    await test.clock.advance(1000);
    expect(await test.weights()).toEqual({ blue: 0, green: 100 });
  });

  it.each(["shifting", "awaiting_approval", "baking", "paused"])("abort while it is %s", async (phase) => {
    const test = await started({}, phase === "awaiting_approval" ? { gates: [50] } : {});
    if (phase === "paused") await test.call("POST", "/admin/rollouts/current/pause");
    else await servedUntil(test, phase);
    for (let i = 0; i < 2; i++) {
      const { status, body } = await test.call("POST", "/admin/rollouts/current/abort", { reason: "enough" });
      expect([status, body.phase]).toEqual([200, "aborted"]);
    }
    expect(await test.weights()).toEqual({ blue: 100, green: 0 });
    await test.clock.advance(5000);
    expect(await test.weights()).toEqual({ blue: 100, green: 0 });
    expect(
      (await test.current()).log.filter(({ event }: { event: string }) => event === "abort"),
    ).toHaveLength(1);
  });

  it("cannot move weights beside a rollout, unless they abort it", async () => {
    const test = await started();
    const before = await test.weights();
    for (const [verb, body] of [
      ["weights", { blue: 1, green: 1 }],
      ["flip", { to: "green" }],
      ["undo", undefined],
    ] as const) {
      const { status, body: problem } = await test.call("POST", `/admin/${verb}`, body);
      expect([status, problem.code]).toEqual([409, "rollout_runs"]);
      expect(problem.detail).toContain("--abort-rollout");
    }
    expect(await test.weights()).toEqual(before);
    const refused = { weights: { blue: 1, red: 1 }, abort_rollout: true };
    expect((await test.call("POST", "/admin/weights", refused)).status).toBe(400);
    expect(await test.phase()).toBe("shifting");
    const { status } = await test.call("POST", "/admin/flip", {
      to: "green",
      abort_rollout: true,
      reason: "now",
    });
    expect(status).toBe(200);
    await test.clock.advance(5000);
    expect(await test.weights()).toEqual({ blue: 0, green: 100 });
    expect((await test.current()).log.at(-1)).toMatchObject({ event: "abort", reason: "flip by local: now" });
  });

  it("roll back over a rollout, whatever it does", async () => {
    const test = await started();
    expect((await test.call("POST", "/admin/rollback")).status).toBe(200);
    await test.clock.advance(5000);
    expect([await test.phase(), await test.weights()]).toEqual(["aborted", { blue: 100, green: 0 }]);
  });

  it("cannot have the file read again with other colors while one runs", async () => {
    const test = await started();
    const colors = { blue: { weight: 1, targets: [BLUE] }, green: { weight: 1, targets: [GREEN] } };
    await expect(test.plane.reload(testConfig({ colors }))).rejects.toThrow("and moves the weights");
    expect(await test.phase()).toBe("shifting");
  });
});

describe("what is refused", () => {
  it.each([
    [{}, "candidate"],
    [undefined, "The body is missing"],
    [{ candidate: "red" }, 'There is no color "red"'],
    [{ candidate: "green", steps: [50, 20] }, "steps is 50, 20, 100; expected at most 50 rising percentages"],
    [{ candidate: "green", steps: [0] }, "steps.0"],
    [{ candidate: "green", steps: [1e-300, 50] }, "each at least 0.001 above the one before"],
    [{ candidate: "green", steps: [50, 99.9999999] }, "each at least 0.001 above the one before"],
    [{ candidate: "green", step_min: 60 }, "step_min: 60; expected a duration with its unit"],
    [{ candidate: "green", step_min: ["60s"] }, 'step_min: ["60s"]; expected a duration with its unit'],
    [{ candidate: "green", max_duration: "9999h" }, 'max_duration: "9999h"; expected a duration'],
    [{ candidate: "green", max_duration: "9999h" }, "of at most 24 days"],
    [{ candidate: "green", alpha: 1e-320 }, "expected a number below 1, and at least 1e-12"],
    [{ candidate: "green", guards: "errors" }, "guards: expected at most 50 names"],
    [{ candidate: "green", guards: { errors: 5 } }, "guards: expected at most 50 names"],
    [{ candidate: "green", guards: { errors: { phi0: 1e308 } } }, "from 0.000001 to 1,000,000"],
    [{ candidate: "green", step_min: "soon" }, 'step_min: "soon"; expected a duration with its unit'],
    [{ candidate: "green", max_duration: "1m" }, "max_duration is 60000 ms"],
    [{ candidate: "green", alpha: 1 }, "alpha"],
    [{ candidate: "green", gates: [30] }, "gates has 30, which is no step"],
    [{ candidate: "green", guards: ["errors", "sloth"] }, 'there is no guard "sloth"; expected errors, slow'],
    [{ candidate: "green", guards: { errors: { phi: 2 } } }, 'guards.errors has no option "phi"'],
    [{ candidate: "green", guards: { errors: { phi0: "two" } } }, "expected a number"],
    [{ candidate: "green", guards: { slow: {} } }, '"after" is missing'],
    [{ candidate: "green", guards: ["errors", "errors"] }, "names must differ"],
    [
      { candidate: "green", hooks: { before_rollout: "warm" } },
      'there is no hook "warm"; no hook is configured',
    ],
    [{ candidate: "green", checks: ["charm"] }, 'there is no check "charm"'],
    [{ candidate: "green", on_breach: "ignore" }, "on_breach"],
    [{ candidate: "green", expects: "same" }, "expects"],
  ])("%j", async (body, detail) => {
    const test = await scene();
    const answer = await test.call("POST", "/admin/rollouts", body);
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain(detail);
    expect((await test.call("GET", "/admin/rollouts/current")).status).toBe(404);
  });

  it("a candidate with weight, without health, or whose version nobody knows", async () => {
    const detail = async (test: Scene) => {
      const { status, body } = await test.call("POST", "/admin/rollouts", PLAN);
      expect(status).toBe(409);
      return body.detail as string;
    };
    const weighty = await scene({ colors: { ...COLORS, green: { weight: 5, targets: [GREEN] } } });
    expect(await detail(weighty)).toContain("green has weight");
    const ill = await scene();
    ill.probe.down(GREEN);
    await ill.clock.advance(10_000);
    expect(await detail(ill)).toBe("green has no healthy target.");
    const nameless = await testPlane({ colors: COLORS });
    expect((await nameless.call("POST", "/admin/rollouts", PLAN)).body.detail).toContain(
      "It is not known what green",
    );
    expect(await detail(await started())).toContain("one runs at a time");
  });

  it("commands to what is not there, or is over", async () => {
    const test = await started();
    expect((await test.call("POST", "/admin/rollouts/nothing/abort")).status).toBe(404);
    await test.call("POST", "/admin/rollouts/current/abort");
    await test.clock.advance(1000);
    const { id } = await test.current();
    expect(await test.call("POST", `/admin/rollouts/${id}/pause`)).toMatchObject({
      ...{ status: 409, body: { detail: "It is aborted, and over." } },
    });
    expect((await test.call("POST", `/admin/rollouts/${id}/abort`)).status).toBe(200);
  });
});

describe("the disk", () => {
  it("has the rollout with its evidence for the router that starts next", async () => {
    const state = temporaryFolder();
    const test = await started({ state });
    await test.serve(100, { candidate: 1 });
    await test.clock.advance(2000);
    const before = await test.current();
    await test.plane.stop();
    const next = await scene({ state });
    const after = await next.current();
    expect(after).toMatchObject({ id: before.id, phase: "shifting", evidence: before.evidence });
    await next.serve(100, { candidate: 1 });
    await next.clock.advance(1000);
    // the run of the worker is known, so that what was booked before does not count twice
    expect((await next.current()).evidence.tallies.errors.strata[0].candidate).toEqual({
      requests: 10,
      bad: 1,
    });
    await next.plane.stop();
  });

  it("has a rollback that has not ended, too", async () => {
    const state = temporaryFolder();
    const test = await started({ state });
    await test.serve(200, { candidate: 5 }, { green: 1 });
    const before = await test.current();
    expect([before.phase, await test.weights()]).toEqual(["rolling_back", { blue: 100, green: 0 }]);
    await test.plane.stop();
    const next = await scene({ state });
    // nothing is in flight after a restart
    const { phase, verdict, evidence } = await next.current();
    expect({ phase, verdict, evidence }).toEqual({
      ...{ phase: "rolled_back", verdict: before.verdict, evidence: before.evidence },
    });
    expect(await next.weights()).toEqual({ blue: 100, green: 0 });
    await next.plane.stop();
  });

  it("that is full holds no abort back, and no step goes on", async () => {
    const state = temporaryFolder();
    const test = await started({ state });
    test.disk.faults.set("write", "ENOSPC");
    await test.serve(2000);
    await test.clock.advance(30_000);
    expect(await test.weights()).toEqual({ blue: 90, green: 10 });
    const answering = test.call("POST", "/admin/rollouts/current/abort");
    await vi.waitFor(() => expect(test.channel.last.colors[0]!.share).toBe(1));
    await test.clock.advance(3000);
    expect((await answering).body).toMatchObject({ phase: "aborted", saved: false });
    test.disk.faults.clear();
    await test.plane.stop();
    const next = await scene({ state });
    expect([await next.phase(), await next.weights()]).toEqual(["aborted", { blue: 100, green: 0 }]);
    await next.plane.stop();
  });

  it("that is full refuses to start one", async () => {
    const test = await scene({ state: temporaryFolder() });
    test.disk.faults.set("write", "ENOSPC");
    const { status, body } = await test.call("POST", "/admin/rollouts", PLAN);
    expect([status, body.code]).toEqual([507, "not_saved"]);
    expect((await test.call("GET", "/admin/rollouts/current")).status).toBe(404);
    await test.plane.stop();
  });
});

it("goes on in the router that takes this one's place", async () => {
  const test = await started();
  await test.serve(100, { candidate: 1 });
  const before = await test.current();
  const handed = await test.plane.give();
  const next = await testPlane({ colors: COLORS }, { handed });
  next.plane.open();
  next.probe.results.set(BLUE, says("1.0.0", "old"));
  next.probe.results.set(GREEN, says("1.0.1", "new"));
  await next.clock.advance(2000);
  const after = (await next.call("GET", "/admin/rollouts/current")).body;
  expect(after).toMatchObject({ id: before.id, phase: "shifting", evidence: before.evidence });
  expect(next.channel.last.rollout!.id).toBe(before.id);
});
