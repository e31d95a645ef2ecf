import { describe, expect, it } from "vitest";
import { BLUE, GREEN, testConfig, testPlane } from "../../../test/support/control-plane.ts";
import {
  COLORS,
  PLAN,
  type Scene,
  says,
  scene,
  servedUntil,
  started,
} from "../../../test/support/control-rollout.ts";
import { passed } from "../../../test/support/fake-probe.ts";
import { command } from "../../../test/support/hooks.ts";

async function promoted(): Promise<Scene> {
  const test = await started();
  await servedUntil(test, "promoted");
  return test;
}

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

  it("abort a promotion right after it, and its record keeps both", async () => {
    const test = await promoted();
    const { ended } = await test.current();
    await test.clock.advance(60_000);
    const { status, body } = await test.call("POST", "/admin/rollouts/current/abort", { reason: "enough" });
    expect([status, body.phase]).toEqual([200, "aborted"]);
    expect(await test.weights()).toEqual({ blue: 100, green: 0 });
    await test.clock.advance(5000);
    const record = await test.current();
    expect(record.log.slice(-2).map(({ event }: { event: string }) => event)).toEqual(["promoted", "abort"]);
    expect(record.ended).toBe(record.log.at(-1).at);
    expect(record.ended > ended).toBe(true);
    expect((await test.call("POST", "/admin/rollouts/current/abort")).status).toBe(200);
    expect((await test.current()).ended).toBe(record.ended);
  });

  it.each<[string, (test: Scene) => unknown]>([
    [
      "somebody has moved weights since",
      (test) => test.call("POST", "/admin/weights", { blue: 10, green: 90 }),
    ],
    [
      "the stable color runs another version by now",
      (test) => test.probe.results.set(BLUE, says("2", "next")),
    ],
    ["the stable color no longer says what it runs", (test) => test.probe.results.set(BLUE, passed)],
    ["the stable color has no available target", (test) => test.probe.down(BLUE)],
  ])("cannot abort a promotion that is over when %s", async (_, since) => {
    const test = await promoted();
    await since(test);
    await test.clock.advance(10_000);
    const [{ id, ended }, before] = [await test.current(), await test.weights()];
    const { status, body } = await test.call("POST", "/admin/rollouts/current/abort");
    expect([status, body.detail]).toEqual([
      409,
      `${id} is promoted, and over; \`sluice rollback\` goes back.`,
    ]);
    expect([await test.phase(), await test.weights()]).toEqual(["promoted", before]);
    expect((await test.current()).ended).toBe(ended);
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
    const { log, share, weights } = await test.current();
    expect(log.at(-1)).toMatchObject({ event: "abort", reason: "flip by local: now" });
    const list = await test.call("GET", "/admin/rollouts");
    expect(list.body.rollouts[0].result).toBe("flip by local: now");
    // the record says where the requests went, not where an abort usually sends them
    expect([share, weights.at(-1)]).toEqual([100, { at: expect.any(String), candidate: 100, stable: 0 }]);
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
    [{}, "candidate: missing; expected a string"],
    [{ candidate: "green", step_requests: 1.5 }, "step_requests: 1.5; expected a whole number"],
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
    [{ candidate: "green", max_duration: "1m" }, "max_duration is 60 s, and steps and bake alone take"],
    [{ candidate: "green", alpha: 1 }, "alpha: 1; expected a number below 1"],
    [{ candidate: "green", alpha: 0 }, "alpha: 0; expected a number above 0"],
    [{ candidate: "green", steps: [120] }, "steps.0: 120; expected a number of at most 100"],
    [{ candidate: "green", steps: [] }, "steps: expected at least 1"],
    [{ candidate: "green", step_requests: -1 }, "step_requests: -1; expected a number of at least 0"],
    [
      { candidate: "green", hooks: { before_rollout: "" } },
      'hooks.before_rollout: ""; expected at least 1 character',
    ],
    [{ candidate: "green", expect: "best" }, 'expect: "best"; expected same or better'],
    [{ candidate: "green", alpha: "1" }, 'alpha: "1"; expected a number'],
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
    [{ candidate: "green", on_breach: "ignore" }, 'on_breach: "ignore"; expected rollback or pause'],
    [{ candidate: "green", expects: "same" }, "expects"],
    ['{"candidate":"green","guards":{"__proto__":{"phi0":2}}}', 'The body names "__proto__"'],
    ['{"candidate":"green","guards":{"errors":{"__pr\\u006fto__":1}}}', 'The body names "__proto__"'],
    ['{"candidate":"green","hooks":{"__proto__":"warm"}}', 'The body names "__proto__"'],
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
    const silent = await scene();
    silent.probe.results.set(GREEN, passed);
    await silent.clock.advance(10_000);
    expect(await detail(silent)).toContain("It is not known what green");
    expect(await detail(await started())).toContain("one runs at a time");
  });

  it("another one while a hook of the last one is under way, which it names", async () => {
    const lasting = command("setInterval(() => {}, 1000)");
    const test = await started({ hooks: { lasting } }, { hooks: { on_rollback: "lasting" } });
    await test.call("POST", "/admin/rollouts/current/abort");
    const { status, body } = await test.call("POST", "/admin/rollouts", PLAN);
    expect([status, body.code]).toEqual([409, "rollout_runs"]);
    expect(body.detail).toContain("is aborted, and its hook lasting is still under way; one runs at a time");
    await test.plane.stop();
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
