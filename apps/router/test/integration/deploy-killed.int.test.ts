import { afterAll, beforeAll, expect, it } from "vitest";
import { PHASES } from "../../src/cli/deploy/journal.ts";
import { Child, endChildren } from "../support/child.ts";
import { ARTIFACTS, DeployScene, ODD } from "../support/deploys.ts";
import { Load } from "../support/load.ts";

let scene: DeployScene;
beforeAll(async () => {
  scene = await DeployScene.open();
  const first = await scene.deploy(ARTIFACTS[0]);
  expect(first).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await scene.close();
  await endChildren();
});

const MOMENTS: readonly (readonly [moment: "begin" | "end", phase: string])[] = [
  ...PHASES.map((phase) => ["begin", phase] as const),
  ["end", "switch"],
];

/** What the next deploy says it does. Everything of the switch and after it is finished, as the version proves good. */
const OUTCOMES: Readonly<Record<string, RegExp>> = {
  "end switch": /was killed in phase switch: its version has all weight, so it is checked and finished/,
};

function expected(moment: string, phase: string): RegExp {
  const finished = PHASES.indexOf(phase as "switch") > PHASES.indexOf("switch");
  const what = finished
    ? "its version has all weight, so it is checked and finished"
    : "nothing was switched, so it is cleaned up";
  return OUTCOMES[`${moment} ${phase}`] ?? new RegExp(`was killed in phase ${phase}: ${what}`);
}

// each deploy ends what the one before it began, and is killed in its turn
let killed: { moment: string; phase: string; artifact: string } | undefined;
let turn = 0;

for (const [moment, phase] of MOMENTS) {
  it(`a deploy that is killed at the ${moment === "begin" ? "beginning" : "end"} of ${phase} costs no request, and the next one ends what it began`, async () => {
    const load = new Load({
      url: scene.router.url,
      rate: 10,
      kind: () => ({ method: "POST", path: "/api/predict/", body: '{"data":[{}]}' }),
    });
    const artifact = ARTIFACTS[++turn % 2]!;
    const args = [moment, phase, "deploy", "--artifact", artifact, "--server", ODD, "--requests", "3"];
    const child = Child.node("apps/router/test/support/deploy-killed.ts", args, { env: scene.env() });
    await child.exited();
    await child.closed();
    expect(child.process.signalCode, child.output).toBe("SIGKILL");
    if (killed) expect(child.output).toMatch(expected(killed.moment, killed.phase));
    killed = { moment, phase, artifact };
    expect(["blue", "green"]).toContain(await scene.serving());
    expect(scene.has("deploy.json")).toBe(true);
    await load.more(2);
    expect((await load.stop()).lost).toEqual([]);
  });
}

it("the same deploy again only finishes what was killed", async () => {
  const { code, output } = await scene.deploy(killed!.artifact, ["--requests", "3"]);
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toMatch(expected(killed!.moment, killed!.phase));
  expect(output).toMatch(/was deployed by a killed deploy, which is finished now: \w+ serves/);
  const serving = (await scene.serving()) as "blue" | "green";
  const idle = serving === "blue" ? "green" : "blue";
  expect(scene.has("deploy.json")).toBe(false);
  expect(scene.record()).toMatchObject({ serving, previous: idle });
  expect([await scene.listens(serving), await scene.listens(idle)]).toEqual([true, false]);
});

it("a version that was switched to and does not prove good any more is taken back", async () => {
  const artifact = ARTIFACTS[++turn % 2]!;
  const before = await scene.serving();
  const args = ["end", "switch", "deploy", "--artifact", artifact, "--server", ODD, "--requests", "3"];
  const child = Child.node("apps/router/test/support/deploy-killed.ts", args, {
    env: scene.env({ ODD_MODEL: "outside" }),
  });
  await child.exited();
  expect(await scene.serving()).not.toBe(before);
  const { code, output } = await scene.deploy(artifact, ["--requests", "3"], { ODD_MODEL: "golden" });
  expect(output).toMatch(
    /it did not prove good \(POST \S+ answers 500; expected 200 \(odd\)\.\), so \w+ serves again/,
  );
  expect(output).toMatch(/failed \(check\): .* golden row 7 .* serves untouched/);
  expect(code).toBe(1);
  expect(await scene.serving()).toBe(before);
  expect(scene.has("deploy.json")).toBe(false);
});
