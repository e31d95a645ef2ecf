import { expect, it, vi } from "vitest";
import { PLAN, scene } from "../../../test/support/control-rollout.ts";

const hookThat = (script: string) => ({
  hooks: { warm: { command: [process.execPath, "-e", script], env: {}, folder: ".", timeout: 60_000 } },
});
const BODY = { ...PLAN, hooks: { before_rollout: "warm" }, checks: ["schema"] };

it("are shown as not run when the hook before them fails", async () => {
  const ask = vi.fn();
  const test = await scene(hookThat("process.exit(1)"), { ask });
  await test.call("POST", "/admin/rollouts", BODY);
  await vi.waitFor(async () => {
    await test.clock.advance(250);
    expect(await test.phase()).toBe("rolled_back");
  });
  expect((await test.current()).checks).toEqual([{ name: "schema", detail: "not run" }]);
  expect(ask).not.toHaveBeenCalled();
});

it("begin when the hook before them has ended", async () => {
  const ask = vi.fn(() => new Promise<never>(() => {}));
  const test = await scene(hookThat(""), { ask });
  await test.call("POST", "/admin/rollouts", BODY);
  const checks = async () => (await test.current()).checks;
  expect(await checks()).toEqual([{ name: "schema", detail: "not run" }]);
  await vi.waitFor(async () => {
    await test.clock.advance(250);
    expect(await checks()).toEqual([{ name: "schema", detail: "under way" }]);
  });
  expect(ask).toHaveBeenCalled();
  await test.call("POST", "/admin/rollouts/current/abort");
  expect(await checks()).toEqual([{ name: "schema", detail: "not run to its end" }]);
});
