import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A folder for PATH whose commands are these shell scripts. */
function bin(commands: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bin-"));
  folders.push(folder);
  for (const [name, body] of Object.entries(commands))
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return folder;
}

function run(script: string, path: string, ...args: readonly string[]) {
  const options = { encoding: "utf8", cwd: root, env: { PATH: path } } as const;
  const words = [join(import.meta.dirname, script), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, options);
  return { status, stdout, stderr };
}

describe.each(["compose.ts", "build.ts"])("%s", (script) => {
  const name = { "compose.ts": "compose", "build.ts": "docker:build" }[script];

  test("says in a sentence that docker is not installed", () => {
    expect(run(script, bin({}))).toEqual({
      status: 1,
      stdout: "",
      stderr: `${name}: The command docker is not installed.\n`,
    });
  });

  test("says in a sentence that the engine does not answer, and why", () => {
    const docker = "echo 'Cannot connect to the Docker daemon. Is it running?' >&2; exit 1";
    expect(run(script, bin({ docker }))).toEqual({
      status: 1,
      stdout: "",
      stderr: `${name}: The Docker engine does not answer: Cannot connect to the Docker daemon.\n`,
    });
  });
});

describe("compose.ts", () => {
  const engine = '[ "$1" = version ]';

  test("says in a sentence that there is no compose", () => {
    expect(run("compose.ts", bin({ docker: engine }), "ps")).toEqual({
      status: 1,
      stdout: "",
      stderr: "compose: Compose is not installed: expected `docker compose` or docker-compose.\n",
    });
  });

  test("takes docker-compose where docker has no compose, and ends with its exit code", () => {
    const path = bin({ docker: engine, "docker-compose": 'echo "old $*"; [ "$1" = version ] || exit 7' });
    expect(run("compose.ts", path, "ps", "-a")).toEqual({ status: 7, stdout: "old ps -a\n", stderr: "" });
  });

  test("prefers docker compose", () => {
    const path = bin({ docker: 'echo "new $*"', "docker-compose": "echo old" });
    expect(run("compose.ts", path, "logs", "router")).toEqual({
      status: 0,
      stdout: "new compose logs router\n",
      stderr: "",
    });
  });
});

describe("build.ts", () => {
  const docker = 'if [ "$1" = build ]; then echo "$*" >>"$0.log"; fi';

  test.each([
    [["--only", "both"], '--only is "both": expected router or api.'],
    [["--what"], "Unknown option '--what'; --help lists the options."],
    [
      ["--model", "package.json"],
      '--model is "package.json": expected artifacts/NAME/model.json in this project.',
    ],
    [["--model", "artifacts/none/model.json"], "artifacts/none/model.json cannot be read: ENOENT"],
  ])("refuses %j with a sentence", (args, sentence) => {
    const { status, stderr } = run("build.ts", bin({ docker }), "--only", "api", ...args);
    expect(status).toBe(1);
    expect(stderr).toContain(`docker:build: ${sentence}`);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("passes the model's own version and digest, and a name that a registry takes", () => {
    const folder = join(root, "artifacts", `test-${process.pid}`);
    folders.push(folder);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "model.json"), '{"version":"2.0.0+7","digest":"sha256:abc"}');
    const model = `artifacts/test-${process.pid}/model.json`;
    const path = bin({ docker });
    const args = ["--only", "api", "--model", model, "--prefix", "ghcr.io/acme/", "--network", "host"];
    const { status, stdout } = run("build.ts", path, ...args, "--revision", "abc");
    expect(status).toBe(0);
    expect(stdout).toBe("built ghcr.io/acme/sluice-api:2.0.0_7 sha256:abc\n");
    const words = readFileSync(join(path, "docker.log"), "utf8");
    expect(words).toContain(`--file Dockerfile.api --network host --build-arg MODEL=${model}`);
    for (const arg of ["MODEL_VERSION=2.0.0+7", "MODEL_DIGEST=sha256:abc", "REVISION=abc"])
      expect(words).toContain(`--build-arg ${arg} `);
  });

  test("fails with the build, in a sentence", () => {
    const path = bin({ docker: '[ "$1" = build ] && exit 3; exit 0' });
    const { status, stderr } = run("build.ts", path, "--only", "router");
    expect(status).toBe(1);
    expect(stderr).toBe("docker:build: docker build failed: ended with 3. Its last lines say why.\n");
  });
});
