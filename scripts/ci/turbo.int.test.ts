// turbo gives an old result only where nothing changed that the task depends on.
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { root } from "../test/workflows.ts";

const GENERATED = ["node_modules", ".git", ".turbo", "dist", "artifacts", "var", "reports"];
let copy: string;
let before: Map<string, string>;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "sluice-turbo-"));
  cpSync(root, copy, {
    recursive: true,
    filter: (path) => path === root || !GENERATED.includes(basename(path)),
  });
  before = hashes();
  return () => rmSync(copy, { recursive: true, force: true });
});

/** Each task that has a command, with the hash under which its result is kept. */
function hashes(): Map<string, string> {
  const tasks = ["lint", "//#lint:root", "typecheck", "train", "build", "test:unit"];
  const { status, stdout, stderr } = spawnSync(
    join(root, "node_modules/.bin/turbo"),
    ["run", ...tasks, "--dry=json", "--no-update-notifier"],
    { cwd: copy, encoding: "utf8", env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" } },
  );
  expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
  const dry: { tasks: { taskId: string; hash: string; command: string }[] } = JSON.parse(
    stdout.slice(stdout.indexOf("{")),
  );
  return new Map(
    dry.tasks.filter(({ command }) => command !== "<NONEXISTENT>").map(({ taskId, hash }) => [taskId, hash]),
  );
}

/** The tasks whose results no longer count. */
function changed(): string[] {
  const after = hashes();
  return [...after.keys()].filter((task) => after.get(task) !== before.get(task)).sort();
}

test("a changed model package is type-checked, trained and built into the server again", () => {
  appendFileSync(join(copy, "packages/model/src/load.ts"), "\n");
  const tasks = changed();
  expect(tasks).toEqual(
    expect.arrayContaining([
      "@sluice/model#lint",
      "@sluice/model#typecheck",
      "@sluice/model-api#build",
      "@sluice/model-api#typecheck",
      "@sluice/training#train",
      "@sluice/training#typecheck",
    ]),
  );
  expect(tasks).not.toContain("@sluice/training#lint");
  before = hashes();
});

test("new data trains again, and nothing else, also where git ignores it", () => {
  for (const file of ["sample.csv", "uber.csv"]) {
    writeFileSync(join(copy, "data", file), "a,b\n");
    expect(changed()).toEqual(["@sluice/training#train"]);
    before = hashes();
  }
});

test("a changed workflow is linted again", () => {
  appendFileSync(join(copy, ".github/workflows/ci.yml"), "# changed\n");
  expect(changed()).toEqual(["@sluice/scripts#lint"]);
});

test("tests are never taken from the cache", () => {
  const { tasks } = JSON.parse(readFileSync(join(root, "turbo.json"), "utf8"));
  for (const name of Object.keys(tasks).filter((task) => task.includes("test:"))) {
    expect({ name, cache: tasks[name].cache }).toEqual({ name, cache: false });
  }
});
