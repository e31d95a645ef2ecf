import { describe, expect, test } from "vitest";
import { CliError } from "../errors.ts";
import type { Deployment } from "./deployment.ts";
import { phasesOf } from "./phases.ts";
import { type Progress, silentProgress } from "./progress.ts";
import { CannotGoBack, type Phase, runPhases } from "./runner.ts";

const never = new AbortController().signal;

describe("running phases", () => {
  function plan(broken: Record<string, () => void>, undoBroken: Record<string, () => void> = {}) {
    const seen: string[] = [];
    const phases = (["start", "switch", "verify"] as const).map<Phase>((name) => ({
      name,
      title: name,
      run: async () => {
        seen.push(name);
        broken[name]?.();
      },
      undo: async () => {
        seen.push(`undo ${name}`);
        undoBroken[name]?.();
      },
    }));
    const saved: string[] = [];
    const save = async (name: string, undoing: boolean) => {
      saved.push(`${undoing ? "undo " : ""}${name}`);
    };
    return { seen, saved, phases, save };
  }
  const fail = () => {
    throw new Error("broken");
  };
  const quiet: Progress = silentProgress;

  test("writes each down before it begins, and takes back all when one fails, the last first", async () => {
    const { seen, saved, ...parts } = plan({ switch: fail });
    const { failure, timings } = await runPhases({ ...parts, progress: quiet, interrupted: never });
    expect(seen).toEqual(["start", "switch", "undo switch", "undo start"]);
    expect(saved).toEqual(["start", "switch", "undo switch"]);
    expect(failure).toMatchObject({ phase: "switch", problems: [], stuck: false });
    expect(timings.map(({ name, ok }) => [name, ok])).toEqual([
      ["start", true],
      ["switch", false],
    ]);
  });
  test("goes on taking back when a part of that fails, unless it would end what serves", async () => {
    const first = plan({ verify: fail }, { switch: fail });
    const one = await runPhases({ ...first, progress: quiet, interrupted: never });
    expect(one.failure).toMatchObject({ problems: ["broken"], stuck: false });
    expect(first.seen.slice(3)).toEqual(["undo verify", "undo switch", "undo start"]);
    const stuck = () => {
      throw new CannotGoBack("green serves.");
    };
    const second = plan({ verify: fail }, { switch: stuck });
    const two = await runPhases({ ...second, progress: quiet, interrupted: never });
    expect(two.failure).toMatchObject({ problems: ["green serves."], stuck: true });
    expect(second.seen.slice(3)).toEqual(["undo verify", "undo switch"]);
  });
  test("does not do what cannot be written down", async () => {
    const { seen, phases } = plan({});
    const save = async (name: string) => {
      if (name === "switch") throw new Error("the disk is full");
    };
    const { failure } = await runPhases({ phases, save, progress: quiet, interrupted: never });
    expect(failure).toMatchObject({ phase: "switch", error: { message: "the disk is full" } });
    expect(seen).toEqual(["start", "undo switch", "undo start"]);
  });
});

test("an old version that cannot be stopped is a warning, and takes no release back", async () => {
  const stop = async () => {
    throw new CliError("the engine does not answer.");
  };
  const old = { color: "blue", slot: { stop }, version: { kind: "image" } };
  const warnings: string[] = [];
  const deploy = {
    old,
    warnings,
    drained: true,
    settings: { switch: { title: "" } },
    driver: { publishes: () => undefined },
  };
  const release = { preparation: "", version: { ref: "" } };
  const last = phasesOf({ ...deploy, release } as unknown as Deployment).at(-1)!;
  await last.run({ signal: never, note: () => {} });
  expect(warnings).toEqual(["blue could not be stopped: the engine does not answer."]);
});
