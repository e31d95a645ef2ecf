import { describe, expect, it } from "vitest";
import { PLAN, scene } from "../../../test/support/control-rollout.ts";
import { parsePointer } from "../../core/predictions/pointer.ts";

const PREDICTIONS = { pointer: parsePointer("/predictions/*/fare_amount"), range: undefined, paths: [] };

/** The answer to a request for a rollout, and by which guards it is judged. */
async function asked(more: object, config: object = { predictions: PREDICTIONS }) {
  const test = await scene(config);
  const { status, body } = await test.call("POST", "/admin/rollouts", { ...PLAN, ...more });
  const { rollback, promotion } = body.plan?.judgement ?? { rollback: [], promotion: [] };
  const guards = [...rollback, ...promotion] as { name: string; tally?: string; phi0?: number }[];
  return { status, detail: body.detail, guards, names: guards.map(({ name }) => name) };
}

describe("slow_after", () => {
  it.each(["same", "better"])("keeps the usual guards of a rollout that expects %s", async (expected) => {
    const usual = await asked({ expect: expected });
    const { status, guards, names } = await asked({ expect: expected, slow_after: "250ms" });
    expect(status).toBe(200);
    expect(usual.names).toContain("answers");
    expect(usual.names.includes("not worse on the same trips")).toBe(expected === "better");
    // nothing is known yet of how long the stable color takes: without it there is no such guard
    expect(new Set(names)).toEqual(new Set([...usual.names, "slow"]));
    expect(guards.find(({ name }) => name === "slow")).toMatchObject({ tally: "slow:250ms", phi0: 1.2 });
  });

  it.each([
    [["errors", "slow"], 1.2],
    [{ errors: {}, slow: { phi0: 1.5 } }, 1.5],
    [{ errors: {}, slow: null }, 1.2],
  ])("is that of the guards %j", async (guards, phi0) => {
    const { guards: made, names } = await asked({ guards, slow_after: "250ms" });
    expect(names).toEqual(["errors", "slow", "few errors"]);
    expect(made[1]).toMatchObject({ tally: "slow:250ms", phi0 });
  });

  it.each([
    [
      { guards: ["errors"], slow_after: "250ms" },
      "slow_after is about the guard slow; expected it in guards.",
    ],
    [
      { guards: { slow: { after: "1s" } }, slow_after: "250ms" },
      "slow_after and guards.slow.after say the same; expected one of them.",
    ],
    [{ slow_after: 250 }, "slow_after: 250; expected a duration with its unit"],
  ])("is refused in %j", async (body, detail) => {
    const answer = await asked(body);
    expect(answer.status).toBe(400);
    expect(answer.detail).toContain(detail);
  });
});
