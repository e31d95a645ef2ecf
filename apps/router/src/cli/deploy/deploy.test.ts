import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { State } from "../admin-types.ts";
import { CliError } from "../errors.ts";
import { checkGolden } from "./check/golden.ts";
import { run } from "./compose/command.ts";
import { setVariable, writeVariable } from "./compose/env-file.ts";
import { imageVariable } from "./compose/slot.ts";
import type { Deployment } from "./deployment.ts";
import { type JournalEntry, PHASES } from "./journal.ts";
import { BoundedLog } from "./local/bounded-log.ts";
import { identify, isAlive, send } from "./local/identity.ts";
import { describeHolder, takeLock } from "./lock.ts";
import { chooseColors } from "./look.ts";
import { type DeployFlags, imageOf, portOf, pullOf, readSettings } from "./options.ts";
import { phasesOf } from "./phases.ts";
import { isLive, type Progress, silentProgress } from "./progress.ts";
import { decide } from "./recover.ts";
import { CannotGoBack, type Phase, runPhases } from "./runner.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-deploy-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const never = new AbortController().signal;

function state(weights: Record<string, number>, standby?: string): State {
  const colors = Object.entries(weights).map(([name, weight]) => ({
    name,
    weight,
    share: weight,
    targets: [],
  }));
  return { epoch: 1, revision: 1, standby: standby ?? null, colors };
}

describe("the color to deploy to", () => {
  const choose = (weights: Record<string, number>, wanted?: string, standby?: string) => {
    const { color, from } = chooseColors(state(weights, standby), wanted);
    return `${from.name} to ${color.name}`;
  };
  test("is the idle one, and of several rather one that is no standby", () => {
    expect(choose({ blue: 0, green: 7 })).toBe("green to blue");
    expect(choose({ blue: 0, green: 7, red: 0 }, undefined, "blue")).toBe("green to red");
    expect(choose({ blue: 0, green: 7, red: 0 }, "blue", "blue")).toBe("green to blue");
  });
  test("may be named where it serves beside one other", () => {
    expect(choose({ blue: 90, green: 10 }, "green")).toBe("blue to green");
    expect(() => choose({ blue: 90, green: 10 })).toThrow(/several colors serve .* --color green\./);
    expect(() => choose({ blue: 50, green: 40, red: 10 }, "red")).toThrow(/several colors serve/);
  });
  test("is refused where there is none", () => {
    expect(() => choose({ blue: 1 })).toThrow(/blue is the router's only color/);
    expect(() => choose({ blue: 1, green: 0 }, "blue")).toThrow(/blue has all weight/);
    expect(() => choose({ blue: 1, green: 0 }, "mauve")).toThrow(/no color "mauve"; it has blue, green/);
  });
});

describe("what to do about a killed deploy", () => {
  const entry = (phase: string, undoing = false) =>
    ({ phase, undoing, color: "green", from: "blue" }) as JournalEntry;
  test.each(PHASES)("killed in %s, its version has no weight: clean up", (phase) => {
    expect(decide(entry(phase), state({ blue: 1, green: 0 }))).toBe("clean up");
    expect(decide(entry(phase, true), state({ blue: 1, green: 0 }))).toBe("clean up");
  });
  test.each(PHASES.filter((phase) => phase !== "clean"))(
    "killed in %s: finish what has all weight, go back from a part",
    (phase) => {
      expect(decide(entry(phase), state({ blue: 0, green: 1 }))).toBe("finish");
      expect(decide(entry(phase), state({ blue: 1, green: 1 }))).toBe("go back");
      expect(decide(entry(phase, true), state({ blue: 0, green: 1 }))).toBe("go back");
    },
  );
  test("killed in clean, before a color that was named had lost its part: clean up", () => {
    expect(decide(entry("clean"), state({ blue: 90, green: 10 }))).toBe("clean up");
  });
});

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

describe(".env", () => {
  const name = "SLUICE_GREEN_IMAGE";
  test.each([
    ["", `${name}=a:2\n`],
    ["# all\nA=1", `# all\nA=1\n${name}=a:2\n`],
    [`A=1 # x\n${name}=a:1\nB='2'\n`, `A=1 # x\n${name}=a:2\nB='2'\n`],
    [`A=1\r\n${name}=a:1\r\n`, `A=1\r\n${name}=a:2\r\n`],
    [`A=1\r\n`, `A=1\r\n${name}=a:2\r\n`],
    [`export ${name}="a:1"\n`, `export ${name}=a:2\n`],
    [`${name}=a:0\n${name}=a:1\n`, `${name}=a:0\n${name}=a:2\n`],
    [`#${name}=a:1\nX${name}=b\n`, `#${name}=a:1\nX${name}=b\n${name}=a:2\n`],
  ])("%j becomes %j", (before, after) => {
    expect(setVariable(before, name, "a:2")).toBe(after);
    expect(setVariable(after, name, "a:2")).toBe(after);
  });
  test("keeps its mode, and its place behind a symbolic link", async () => {
    const [real, link] = [join(folder, "real.env"), join(folder, ".env")];
    writeFileSync(real, "A=1\n", { mode: 0o640 });
    symlinkSync(real, link);
    expect(await writeVariable(link, name, "a:1")).toBe("A=1\n");
    expect(readFileSync(real, "utf8")).toBe(`A=1\n${name}=a:1\n`);
    expect(statSync(real).mode & 0o777).toBe(0o640);
  });
  test("has one variable for each color", () => {
    expect([imageVariable("blue"), imageVariable("canary-2")]).toEqual([
      "SLUICE_BLUE_IMAGE",
      "SLUICE_CANARY_2_IMAGE",
    ]);
  });
});

describe("golden rows", () => {
  const check = (got: number, wanted: number) =>
    checkGolden("blue", [{ trip: {}, fare_amount: wanted }], {
      predictions: [{ fare_amount: got }],
      model: { name: "", version: "", digest: "" },
      color: "",
    });
  test("are answered rounded to the cent, where the last digits of the unrounded fare may differ", () => {
    for (const [got, wanted] of [
      [11.36, 11.3587],
      [11.36, 11.355000000001],
      [11.35, 11.355000000001],
      [2.5, 2.5],
    ])
      expect(() => check(got!, wanted!)).not.toThrow();
    for (const [got, wanted] of [
      [11.37, 11.3587],
      [11.3587, 11.3587],
      [Number.NaN, 11],
    ])
      expect(() => check(got!, wanted!)).toThrow(/golden row 0 with .*; the artifact says/);
  });
});

describe("processes", () => {
  test("are meant by number and time of birth", () => {
    const own = identify(process.pid)!;
    expect(isAlive(own)).toBe(true);
    const reused = { ...own, began: "another time" };
    expect(isAlive(reused)).toBe(false);
    expect(send(reused, "SIGKILL")).toBe(false);
    expect(identify(2 ** 22 + 1)).toBeUndefined();
  });
  test("write logs that have a bound", () => {
    const path = join(folder, "bounded.log");
    const log = new BoundedLog(path, 100);
    for (let i = 0; i < 50; i++) log.write(`line ${i} ..........\n`);
    expect(statSync(path).size).toBeLessThanOrEqual(100);
    expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(100);
    expect(readFileSync(path, "utf8")).toMatch(/line 49/);
  });
  test("of other programs end with the signal, and say when they are not there", async () => {
    await expect(run("sluice-no-such-program", [])).rejects.toThrow(/`sluice-no-such-program` cannot be run/);
    await expect(run(process.execPath, ["-e", "setInterval(() => {}, 9)"], { timeout: 300 })).rejects.toThrow(
      /did not end within 0\.3 s/,
    );
    const abort = AbortSignal.abort(new Error("interrupted"));
    await expect(run(process.execPath, ["-v"], { signal: abort })).rejects.toThrow("interrupted");
  });
});

test("the lock is one deploy's, and says whose", async () => {
  const place = join(folder, "locks");
  const first = await takeLock(place, "deploy a:1");
  expect(first.stale).toBeUndefined();
  await expect(takeLock(place, "deploy b:1")).rejects.toThrow(
    new RegExp(`another deploy is under way .* \\(process ${process.pid} of .* deploy a:1\\)`),
  );
  await first.release();
  const holder = { pid: 9, user: "ana", host: "vm1", since: "2026-11-21T20:00:00Z", what: "deploy c:1" };
  writeFileSync(join(place, "lock.json"), JSON.stringify(holder));
  const second = await takeLock(place, "deploy b:1");
  expect(describeHolder(second.stale!)).toBe(
    "process 9 of ana on vm1, since 2026-11-21T20:00:00Z: deploy c:1",
  );
  await second.release();
});

describe("options", () => {
  const flags: DeployFlags = {
    artifact: "a.json",
    stepFor: "60s",
    timeout: "60s",
    drainTimeout: "30s",
    warmP95: "250ms",
    requests: "20",
    file: "compose.yaml",
    service: "api-{color}",
    pull: "missing",
  };
  test.each<[Partial<DeployFlags>, RegExp]>([
    [{ image: "b" }, /expected what to deploy: either --image REF or --artifact FILE/],
    [{ artifact: undefined } as unknown as Partial<DeployFlags>, /expected what to deploy/],
    [{ steps: "50,20" }, /--steps is "50,20"; expected rising percentages/],
    [{ steps: "50" }, /the last is 100/],
    [{ expectDigest: "sha256:1" }, /--expect-digest is "sha256:1"; expected sha256:/],
    [{ timeout: "5" }, /--timeout is "5"; expected a duration with its unit/],
    [{ requests: "0" }, /--requests is "0"; expected a whole number/],
    [{ url: "ftp://x" }, /the router's address is "ftp:\/\/x"/],
  ])("%j is bad usage", (bad, sentence) => {
    const error = (() => {
      try {
        return readSettings({ ...flags, ...bad }, {});
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringMatching(sentence) });
  });
  test("have defaults, and the environment's", () => {
    const env = { SLUICE_DEPLOY_FOLDER: "/srv/deploy", SLUICE_URL: "http://x:1/" };
    expect(readSettings(flags, env)).toMatchObject({
      folder: "/srv/deploy",
      url: "http://x:1",
      keepOld: undefined,
      switch: { title: "at once" },
      reason: "deploy a.json",
    });
    expect(readSettings({ ...flags, steps: "5, 25,100" }, env).switch.title).toBe("5, 25, 100 %, 60 s each");
  });
  test("name images, ports and policies that there can be", () => {
    expect(imageOf("ghcr.io/you/api@sha256:0a")).toBe("ghcr.io/you/api@sha256:0a");
    for (const bad of ["a b", "-x", "a'b", "$(x)", ""]) expect(() => imageOf(bad)).toThrow(/--image is/);
    expect(() => portOf("0")).toThrow(/--port is "0"/);
    expect(() => pullOf("often")).toThrow(/--pull is "often"; expected missing, always, never/);
  });
});

describe("progress", () => {
  test("is live on a terminal only, and not in CI", () => {
    const terminal = { isTTY: true } as NodeJS.WriteStream;
    expect(isLive(terminal, {})).toBe(true);
    for (const env of [{ CI: "true" }, { NO_COLOR: "1" }, { TERM: "dumb" }])
      expect(isLive(terminal, env)).toBe(false);
    expect(isLive({} as NodeJS.WriteStream, {})).toBe(false);
  });
  test("shows each phase with its time, also one that is over at once, and where it failed", async () => {
    const script = `
      import { liveProgress } from ${JSON.stringify(new URL("./live-progress.ts", import.meta.url).href)};
      const progress = liveProgress();
      const phases = ["clean", "start", "stop"].map((name) => ({ name, title: "do " + name }));
      progress.plan(phases);
      for (const phase of phases.slice(0, 2)) {
        progress.begin(phase);
        progress.note("a note on " + phase.name);
        progress.end(phase, 1200);
      }
      progress.begin(phases[2]);
      progress.fail(phases[2], "it broke");
      await progress.close();`;
    const env = { ...process.env, LISTR_FORCE_TTY: "1" };
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { env });
    for (const seen of [
      "do clean (1.2 s)",
      "a note on clean",
      "do start (1.2 s)",
      "a note on start",
      "it broke",
    ])
      expect(stdout).toContain(seen);
    expect(stdout).not.toContain("(1.2 s) (1.2 s)");
  });
});
