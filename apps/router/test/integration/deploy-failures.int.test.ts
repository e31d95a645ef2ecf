import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { AdminClient } from "../../src/cli/admin-client.ts";
import { partsOf } from "../../src/cli/deploy/command.ts";
import { type Progress, silentProgress } from "../../src/cli/deploy/progress.ts";
import type { Report } from "../../src/cli/deploy/report.ts";
import { deploy } from "../../src/cli/deploy/run.ts";
import { CliError } from "../../src/cli/errors.ts";
import { endChildren } from "../support/child.ts";
import { ARTIFACTS, DeployScene, ODD } from "../support/deploys.ts";
import { Load } from "../support/load.ts";
import { post } from "../support/running-router.ts";

let scene: DeployScene;
let load: Load;
const before = { ...process.env };

beforeAll(async () => {
  scene = await DeployScene.open();
  Object.assign(process.env, scene.env());
  expect((await attempt("")).ok).toBe(true);
});
afterAll(async () => {
  process.env = before;
  await scene.close();
  await endChildren();
});

/** Answers of a version that is broken behind the router only; clients did get those. */
let broken = false;
beforeEach(() => {
  broken = false;
  const body = '{"data":[{}]}';
  load = new Load({
    url: scene.router.url,
    rate: 10,
    kind: () => ({ method: "POST", path: "/api/predict/", body }),
  });
});
afterEach(async () => {
  await load.more(2);
  const { lost } = await load.stop();
  expect(lost.filter((line) => !broken || !/ 500 .*odd/.test(line))).toEqual([]);
});

const FLAGS = {
  artifact: ARTIFACTS[0],
  server: ODD,
  stepFor: "300ms",
  timeout: "20s",
  drainTimeout: "2s",
  warmP95: "250ms",
  requests: "5",
  file: "compose.yaml",
  service: "api-{color}",
  pull: "missing",
};

/** A deploy in this process, of a model that is odd in some way. */
async function attempt(
  odd: string,
  flags: object = {},
  progress: Progress = silentProgress,
  signal?: AbortSignal,
) {
  process.env.ODD_MODEL = odd;
  const client = new AdminClient({ url: scene.router.admin, token: undefined });
  const never = new AbortController().signal;
  const parts = await partsOf(
    { ...FLAGS, ...flags },
    { client, token: undefined },
    progress,
    signal ?? never,
  );
  return deploy(parts);
}

/** What serves is as it was, and nothing is left of the try. */
async function expectUntouched(): Promise<void> {
  expect(await scene.serving()).toBe("green");
  expect(await scene.listens("blue")).toBe(false);
  expect(await scene.listens("green")).toBe(true);
  expect(scene.has("deploy.json")).toBe(false);
  expect(scene.has("blue.process.json")).toBe(false);
  expect(scene.record()).toMatchObject({ serving: "green" });
  const blue = (await scene.colors()).find(({ name }) => name === "blue");
  expect(blue!.targets.map(({ url }) => url)).toEqual([`http://127.0.0.1:${scene.ports.blue}`]);
}

const expectFailure = (report: Report, phase: string, why: RegExp, result = "untouched") =>
  expect(report).toMatchObject({
    ok: false,
    result,
    serving: "green",
    failed_phase: phase,
    error: expect.stringMatching(why),
  });

for (const [odd, flags, phase, why] of [
  [
    "exit",
    {},
    "ready",
    /blue ended while it was starting \(exit code 1\)\. green serves untouched, and blue is stopped\.$/,
  ],
  ["never ready", { timeout: "3s" }, "ready", /blue is not ready after 3 s \(http:\S+ /],
  ["digest", {}, "check", /blue \(\S+\) serves the digest sha256:0+; expected sha256:\w{64}/],
  ["version", {}, "check", /blue \(\S+\) serves version 9\.9\.9; expected 1\.0\.0/],
  ["golden", {}, "check", /answers golden row 7 with [\d.]+; the artifact says [\d.]+/],
  ["shape", {}, "check", /another shape than the contract's: predictions\.0\.fare_amount: .*expected number/],
  ["color", {}, "check", /says that its color is mauve; expected blue/],
] as const) {
  it(`leaves the old version untouched when the new one's fault is: ${odd}`, async () => {
    const report = await attempt(odd, flags);
    expectFailure(report, phase, why);
    if (odd === "exit") expect(report.log!.join("\n")).toMatch(/the model file is from another planet/);
    await expectUntouched();
  });
}

it("switches back when it does not answer from outside, and verifies that", async () => {
  broken = true;
  const lines: string[] = [];
  const report = await attempt("outside", {}, { ...silentProgress, note: (line) => lines.push(line) });
  const why =
    /\(verify\): POST \S+ answers 500; expected 200 \(odd\)\. green serves again, and blue is stopped\.$/;
  expectFailure(report, "verify", why, "switched back");
  expect(lines).toEqual(
    expect.arrayContaining([
      "all requests go to green again",
      "5 requests from outside were answered by green",
    ]),
  );
  await expectUntouched();
});

it("a rollback after that stays where it is, and starts nothing", async () => {
  const { code, output } = await scene.run(["rollback"]);
  expect({ code, output }).toMatchObject({ code: 0, output: expect.not.stringMatching(/starting/) });
  await expectUntouched();
});

it("ends a switch by steps when the new version answers badly", async () => {
  broken = true;
  const report = await attempt("outside", { steps: "50,100", stepFor: "20s" });
  expectFailure(report, "switch", /blue answered \d+ of \d+ requests badly in this step/, "switched back");
  await expectUntouched();
});

it("keeps what is not proved yet from being a standby", async () => {
  let during: ReturnType<DeployScene["colors"]> | undefined;
  const watching: Progress = {
    ...silentProgress,
    begin: ({ name }) => {
      if (name === "check") during = scene.colors();
    },
  };
  expectFailure(await attempt("golden", {}, watching), "check", /golden row 7/);
  expect((await during)!.find(({ name }) => name === "blue")!.targets).toEqual([]);
  await expectUntouched();
});

it("does not switch when somebody else has changed the weights meanwhile", async () => {
  const meddle: Progress = {
    ...silentProgress,
    begin: async ({ name }) => {
      if (name === "check") await post(scene.router, "/admin/weights", { blue: 0, green: 5 });
    },
  };
  const report = await attempt("", {}, meddle);
  expect(report).toMatchObject({ ok: false, result: "untouched", failed_phase: "targets" });
  expect(report.error).toMatch(
    /changed by somebody else meanwhile \(now blue 0 %, green 100 %, revision \d+/,
  );
  await expectUntouched();
});

it.each(["clean", "start", "check", "switch", "verify", "drain", "stop"])(
  "takes everything back when it is interrupted in phase %s",
  async (phase) => {
    const controller = new AbortController();
    const interrupting: Progress = {
      ...silentProgress,
      begin: ({ name }) => {
        if (name === phase) controller.abort(new CliError("it was interrupted by SIGINT"));
      },
    };
    const report = await attempt("", {}, interrupting, controller.signal);
    const switched = ["switch", "verify", "drain", "stop"].includes(phase);
    expectFailure(report, phase, /it was interrupted by SIGINT\./, switched ? "switched back" : "untouched");
    await expectUntouched();
  },
);

it("is refused at once, with a sentence, when it cannot begin", async () => {
  const wrong = `sha256:${"f".repeat(64)}`;
  const text = join(scene.folder, "text.json");
  writeFileSync(text, readFileSync(ARTIFACTS[0], "utf8").slice(0, 500));
  for (const [flags, sentence] of [
    [
      { artifact: "/nowhere/model.json" },
      /the artifact \/nowhere\/model\.json cannot be read: there is no such file/,
    ],
    [{ artifact: text }, /is refused: it is not JSON, perhaps cut off/],
    [{ expectDigest: wrong }, /says that it has the digest sha256:\w+; expected sha256:f+/],
    [{ expectVersion: "2.0.0" }, /says that it is version 1\.0\.0; expected 2\.0\.0/],
    [{ server: "/nowhere/main.ts" }, /\/nowhere\/main\.ts, which serves artifacts, is not there/],
    [{ color: "green" }, /green has all weight, so nothing can be deployed to it/],
    [{ color: "mauve" }, /the router has no color "mauve"; it has blue, green/],
    [{ url: "http://127.0.0.1:1" }, /nothing answers at http:\/\/127\.0\.0\.1:1 \(/],
    [
      { port: String(scene.ports.green) },
      /port \d+ is in use, and blue wanted it\. .* choose another with --port/,
    ],
    [
      { artifact: undefined, image: "x:1", file: "/nowhere/compose.yaml" },
      /there is no \/nowhere\/compose\.yaml/,
    ],
  ] as const) {
    await expect(attempt("", flags)).rejects.toThrow(sentence);
    await expectUntouched();
  }
  const gone = new AdminClient({ url: "http://127.0.0.1:1", token: undefined });
  const parts = await partsOf(
    FLAGS,
    { client: gone, token: undefined },
    silentProgress,
    AbortSignal.timeout(60_000),
  );
  await expect(deploy(parts)).rejects.toThrow(/no router answers at http:\/\/127\.0\.0\.1:1/);
});

it("does not begin a phase that it cannot write down, and takes back what it did", async () => {
  const full: Progress = {
    ...silentProgress,
    end: ({ name }) => {
      // nothing can be renamed over a folder that is not empty: as good as a full disk, for root too
      if (name !== "ready") return;
      rmSync(join(scene.folder, "deploy.json"));
      mkdirSync(join(scene.folder, "deploy.json", "full"), { recursive: true });
    },
  };
  const report = await attempt("", {}, full);
  expectFailure(report, "check", /cannot write \S+deploy\.json/);
  rmSync(join(scene.folder, "deploy.json"), { recursive: true, force: true });
  await expectUntouched();
});

let lines: string[] = [];
const listening: Progress = { ...silentProgress, note: (line) => lines.push(line) };
beforeEach(() => {
  lines = [];
});

it("sets a damaged journal aside, and goes by what it finds", async () => {
  writeFileSync(join(scene.folder, "deploy.json"), '{"schema":1,"pha');
  const report = await attempt("golden", {}, listening);
  expectFailure(report, "check", /golden row 7/);
  expect(lines[0]).toMatch(
    /the journal of a killed deploy is damaged and was set aside as \S+deploy\.json\.damaged-/,
  );
  await expectUntouched();
});

it("a second deploy is refused and told who holds the lock; that of a dead process is taken over", async () => {
  const slow = scene.start(
    ["deploy", "--artifact", ARTIFACTS[0], "--server", ODD, "--timeout", "30s", "--reason", "the slow one"],
    { ODD_MODEL: "never ready" },
  );
  await slow.printed(/ready +wait until blue is ready/);
  await expect(attempt("")).rejects.toThrow(
    new RegExp(
      `another deploy is under way in \\S+ \\(process ${slow.pid} of \\S+ on \\S+, since \\S+Z: the slow one\\)`,
    ),
  );
  await slow.kill("SIGKILL");
  const report = await attempt("golden", {}, listening);
  expectFailure(report, "check", /golden row 7/);
  expect(lines[0]).toMatch(new RegExp(`took over the lock of process ${slow.pid} .*which is dead`));
  expect(lines[1]).toMatch(/was killed in phase ready: nothing was switched, so it is cleaned up/);
  await expectUntouched();
});

it("Ctrl-C rolls the command back with exit code 1; a second one ends it at once", async () => {
  const args = ["deploy", "--artifact", ARTIFACTS[0], "--server", ODD, "--timeout", "60s"];
  const begin = async () => {
    const child = scene.start(args, { ODD_MODEL: "never ready" });
    await child.printed(/ready +wait until blue is ready/);
    await expect.poll(() => scene.listens("blue"), { timeout: 20_000 }).toBe(true);
    return child;
  };
  const first = await begin();
  expect(await first.kill("SIGINT")).toBe(1);
  await first.closed();
  expect(first.output).toMatch(
    /failed \(ready\): it was interrupted by SIGINT\. green serves untouched, and blue is stopped\.\n$/,
  );
  expect(first.output).toMatch(/the last lines of blue's log:\n {2}odd model never ready on blue/);
  await expectUntouched();

  const second = await begin();
  const keeper = scene.keeper("blue")!;
  process.kill(keeper, "SIGSTOP"); // what is to be taken back takes its time
  second.signal("SIGINT");
  await second.printed(/undo +take back/);
  second.signal("SIGTERM"); // as pipelines do after SIGINT: no second Ctrl-C
  while (second.running) {
    second.signal("SIGINT"); // within half a second it is the same press
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await second.exited()).toBe(130);
  process.kill(keeper, "SIGCONT");
  expectFailure(await attempt("golden", {}, listening), "check", /golden row 7/);
  expect(lines.join("\n")).toMatch(/was killed in phase ready: nothing was switched, so it is cleaned up/);
  await expectUntouched();
});
