import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { stringify } from "yaml";
import { Child, endChildren } from "../support/child.ts";
import { Load } from "../support/load.ts";
import {
  post,
  type RunningRouter,
  removeFolder,
  temporaryFolder,
  untilAnswers,
} from "../support/running-router.ts";
import { endRouter, installProgram, stateOf, upgrade } from "../support/upgrading.ts";
import { refusedPort } from "../support/upstream.ts";
import { endWorkers, isAlive, until, workersOf } from "../support/workers.ts";

let router: RunningRouter;
let program: string;
let whole: string;

beforeEach(async () => {
  const folder = temporaryFolder();
  program = installProgram(folder, "1.0.0");
  const [listen, admin] = [`127.0.0.1:${await refusedPort()}`, `127.0.0.1:${await refusedPort()}`];
  const configPath = join(folder, "sluice.yaml");
  router = { folder, configPath, url: `http://${listen}`, admin: `http://${admin}`, child: undefined! };
  const targets: Record<string, string> = {};
  for (const color of ["blue", "green"]) {
    const port = await refusedPort();
    const args = [String(port), color, "5"];
    await Child.node("apps/router/test/support/fake-model.ts", args).printed(/listening/);
    targets[color] = `http://127.0.0.1:${port}`;
  }
  const colors = {
    blue: { weight: 1, targets: [targets.blue] },
    green: { weight: 0, targets: [targets.green] },
  };
  whole = stringify({ listen, admin: { listen: admin }, state: "./state", workers: 1, colors });
});
afterEach(async () => {
  await endRouter(router);
  await endChildren();
  endWorkers(router);
  removeFolder(router.folder);
});

async function begin(workers = 1): Promise<void> {
  whole = whole.replace("workers: 1", `workers: ${workers}`);
  writeFileSync(router.configPath, whole);
  const child = new Child(process.execPath, [program, "serve", "--config", router.configPath]);
  router = { ...router, child };
  await untilAnswers(`${router.admin}/readyz`, child);
}

/** What a user does who wants another program here. */
const replaceProgram = (text: string) => writeFileSync(program, text);

/** Everything is as before: the same process, state that can be changed and saved, and later an upgrade that goes well. */
async function expectUnharmed(): Promise<void> {
  const { pid, revision, epoch } = await stateOf(router);
  expect(pid).toBe(router.child.pid);
  expect((await fetch(router.url)).status).toBe(200);
  const changed = await post(router, "/admin/flip", { to: revision % 2 === 1 ? "green" : "blue" });
  expect([changed.status, changed.body.revision]).toEqual([200, revision + 1]);
  expect(changed.body.epoch).toBeGreaterThan(epoch);
  expect(changed.body).not.toHaveProperty("acknowledged");
  const saved = JSON.parse(readFileSync(join(router.folder, "state/state.json"), "utf8"));
  expect(saved.revision).toBe(revision + 1);
}

const edit = (from: RegExp, to: string) => writeFileSync(router.configPath, whole.replace(from, to));

for (const workers of [1, 2]) {
  const failures: Record<string, { arrange: () => unknown; why: RegExp }> = {
    "a configuration that is wrong": {
      arrange: () => edit(/^workers: .*$/m, "workers: many"),
      why: /workers is "many"/,
    },
    "a program that is no JavaScript": {
      arrange: () => replaceProgram("this is not a program"),
      why: /ended with exit code 1 before it served/,
    },
    "a program that is gone": {
      arrange: () => rmSync(program),
      why: /ended with exit code 1 before it served/,
    },
    "a program that crashes": {
      arrange: () => replaceProgram('process.kill(process.pid, "SIGABRT");'),
      why: /ended with SIGABRT before it served/,
    },
    "a program that hangs": {
      arrange: () => replaceProgram("setInterval(() => {}, 1000);"),
      why: /did not serve within 2 s/,
    },
    "a program that hangs once it has the state": {
      arrange: () =>
        replaceProgram(
          'process.on("message", () => {}); process.send({ kind: "ready", version: "9", state: process.env.STATE });',
        ),
      why: /did not serve within 2 s/,
    },
    "an admin address that is in use": {
      arrange: async () => {
        const taken = createServer().listen(0, "127.0.0.1").unref();
        await new Promise((resolve) => taken.once("listening", resolve));
        const { port } = taken.address() as { port: number };
        edit(/listen: .*\n(?=state)/, `listen: 127.0.0.1:${port}\n`);
      },
      why: /admin\.listen: .* is in use by another process/,
    },
    "an address that is in use": {
      arrange: async () => {
        const taken = createServer().listen(0, "127.0.0.1").unref();
        await new Promise((resolve) => taken.once("listening", resolve));
        const { port } = taken.address() as { port: number };
        edit(/^listen: .*$/m, `listen: 127.0.0.1:${port}`);
      },
      why: /listen: .* is in use by another process/,
    },
    "another state folder": {
      arrange: () => edit(/^state: .*$/m, "state: ./elsewhere"),
      why: /state: the configuration names another folder/,
    },
  };
  for (const [name, { arrange, why }] of Object.entries(failures)) {
    it(`goes on as before after ${name}, with workers: ${workers}`, async () => {
      process.env.STATE = join(router.folder, "state");
      await begin(workers);
      const load = new Load({ url: router.url, rate: 100 });
      const before = workersOf(router).map(({ pid }) => pid);
      const source = readFileSync(program, "utf8");
      await arrange();
      const { status, detail } = await upgrade(router, /hangs/.test(name) ? "2s" : "60s");
      expect({ status, detail }).toEqual({ status: 500, detail: expect.stringMatching(why) });
      expect(detail).toMatch(/^The upgrade failed, and this router goes on as before: /);
      await router.child.printed(/The upgrade failed/);
      await expectUnharmed();
      expect(workersOf(router).map(({ pid }) => pid)).toEqual(before);
      replaceProgram(source);
      writeFileSync(router.configPath, whole);
      expect((await upgrade(router)).status).toBe(200);
      expect((await load.stop()).lost).toEqual([]);
    });
  }
}

it("goes on as before with a state folder that cannot be used, and has it back when it can", async () => {
  await begin();
  const [state, away] = [join(router.folder, "state"), join(router.folder, "away")];
  renameSync(state, away);
  writeFileSync(state, "");
  const failing = upgrade(router);
  await router.child.printed(/could not be taken back yet/);
  expect((await fetch(router.url)).status).toBe(200);
  const refused = await post(router, "/admin/flip", { to: "green" });
  expect(refused.status).toBe(503);
  rmSync(state);
  renameSync(away, state);
  expect(await failing).toMatchObject({
    status: 500,
    detail: expect.stringMatching(/state folder .* cannot be used/),
  });
  await expectUnharmed();
});

it("refuses a second upgrade while one is under way", async () => {
  await begin();
  const source = readFileSync(program, "utf8");
  replaceProgram("setInterval(() => {}, 1000);");
  const first = upgrade(router, "3s");
  await router.child.printed(/Upgrading: starting/);
  expect(await upgrade(router)).toMatchObject({
    status: 409,
    detail: "An upgrade is refused: another one is under way.",
  });
  expect((await first).status).toBe(500);
  replaceProgram(source);
  await expectUnharmed();
});

for (const workers of [1, 2]) {
  it(`ends both at SIGTERM during an upgrade, with workers: ${workers}`, async () => {
    process.env.STATE = join(router.folder, "state");
    await begin(workers);
    const pids = workersOf(router).map(({ pid }) => pid);
    replaceProgram(
      'console.log("successor " + process.pid); process.on("message", () => console.log("handed")); process.send({ kind: "ready", version: "9", state: process.env.STATE });',
    );
    const upgrading = upgrade(router);
    const [, successor] = await router.child.printed(/successor (\d+)/);
    await router.child.printed(/handed/);
    const answers = Array.from({ length: 5 }, () => fetch(router.url).then(({ status }) => status));
    await Promise.all(answers);
    router.child.signal("SIGTERM");
    const { status, detail } = await upgrading;
    expect([status, detail]).toEqual([500, expect.stringMatching(/this router was told to stop/)]);
    expect(await router.child.exited()).toBe(0);
    await until(() => ![Number(successor), ...pids].some(isAlive));
    expect(workersOf(router)).toEqual([]);
    expect(await Promise.all(answers)).toEqual([200, 200, 200, 200, 200]);
  });
}

it("leaves a successor serving when the old router is killed while it hands over", async () => {
  await begin(2);
  const source = readFileSync(program, "utf8");
  const waiting = `import { existsSync } from "node:fs"; console.log("successor " + process.pid);
    while (!existsSync(${JSON.stringify(join(router.folder, "go"))})) await new Promise((resolve) => setTimeout(resolve, 10));\n`;
  replaceProgram(waiting + source.replace(/^#!.*\n/, ""));
  const upgrading = upgrade(router).catch(() => undefined);
  await router.child.printed(/successor \d+/);
  await router.child.kill("SIGKILL");
  await upgrading;
  mkdirSync(join(router.folder, "go"));
  await until(() =>
    fetch(`${router.admin}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    ),
  );
  expect((await stateOf(router)).pid).not.toBe(router.child.pid);
  expect((await fetch(router.url)).status).toBe(200);
  expect((await post(router, "/admin/flip", { to: "green" })).status).toBe(200);
});

it("says in one sentence what `sluice upgrade` could not do", async () => {
  await begin();
  edit(/^workers: .*$/m, "workers: many");
  const failed = Child.node("apps/router/bin/sluice.js", ["upgrade", "--admin", router.admin]);
  expect(await failed.exited()).toBe(1);
  expect(failed.output).toMatch(
    /^sluice: The upgrade failed, and this router goes on as before: .*workers.*\n$/s,
  );
  await router.child.kill("SIGTERM");
  const absent = Child.node("apps/router/bin/sluice.js", ["upgrade", "--admin", router.admin]);
  expect(await absent.exited()).toBe(1);
  expect(absent.output).toMatch(/^sluice: no router answers at .*\n$/);
  const misused = Child.node("apps/router/bin/sluice.js", ["upgrade", "--timeout", "soon"]);
  expect(await misused.exited()).toBe(2);
});
