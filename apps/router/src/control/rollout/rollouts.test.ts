import { describe, expect, it } from "vitest";
import { BLUE, GREEN } from "../../../test/support/control-plane.ts";
import { PLAN, says, scene, servedUntil, started } from "../../../test/support/control-rollout.ts";
import { passed } from "../../../test/support/fake-probe.ts";

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
    expect(record.next).toMatch(/^It is over: rolled back, errors: candidate .*: roll back\.$/);
    const list = await test.call("GET", "/admin/rollouts");
    expect(list.body.rollouts[0].result).toMatch(/^errors: candidate .*: roll back$/);
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

  it("holds while the candidate no longer says what it runs, but not for a check that fails", async () => {
    const test = await started();
    test.probe.results.set(GREEN, passed);
    await test.clock.advance(3000);
    for (let i = 0; i < 10; i++) await test.serve(1000);
    await test.clock.advance(60_000);
    expect(await test.current()).toMatchObject({ phase: "shifting", share: 10, paused: null });
    test.probe.results.set(GREEN, says("1.0.1", "new"));
    await test.clock.advance(3000);
    expect((await test.current()).share).toBe(50);
    test.probe.down(GREEN);
    await test.clock.advance(3000);
    const [, green] = (await test.call("GET", "/admin/state")).body.colors;
    expect(green.targets[0]).toMatchObject({ last_check: { ok: false }, digest: "new" });
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
