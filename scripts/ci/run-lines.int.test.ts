// Every `run:` of the workflows is executed here, as GitHub executes it; what would push or deploy meets fake programs.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { train } from "../test/models.ts";
import { Sandbox } from "../test/sandbox.ts";
import { root, runLines } from "../test/workflows.ts";

const revision = "0123456789abcdef0123456789abcdef01234567";
const image = `ghcr.io/acme/sluice-api@sha256:${"a".repeat(64)}`;
let models: string;

beforeAll(() => {
  models = mkdtempSync(join(tmpdir(), "sluice-models-"));
  train(models, "baseline", "1.0.0");
  train(models, "full", "1.0.1");
  return () => rmSync(models, { recursive: true });
});

/** A checkout with both trained models. */
function checkout(): Sandbox {
  const sandbox = new Sandbox();
  cpSync(models, sandbox.path("artifacts"), { recursive: true });
  return sandbox;
}

/** These run for real in `npm test`, which this test is a part of; here turbo says that it knows what to run. */
function knownToTurbo(line: string): void {
  const { status, stdout } = spawnSync("sh", ["-c", `${line} -- --dry=json`], {
    cwd: root,
    encoding: "utf8",
  });
  expect(status).toBe(0);
  const { tasks } = JSON.parse(stdout.slice(stdout.indexOf("{")));
  expect(tasks.filter(({ command }: { command: string }) => command !== "<NONEXISTENT>")).not.toEqual([]);
}

const EXECUTED: Readonly<Record<string, (line: string) => void>> = {
  "npm ci": (line) => {
    // Says whether the lock file fits; the packages are there already.
    const { status, stderr } = spawnSync("sh", ["-c", `${line} --dry-run --ignore-scripts`], {
      cwd: root,
      encoding: "utf8",
    });
    expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
  },
  "npm run lint": knownToTurbo,
  "npm run typecheck": knownToTurbo,
  "npm run test:smoke": knownToTurbo,
  "npm run test:unit": knownToTurbo,
  "npm run build": knownToTurbo,
  "npm run test:integration": knownToTurbo,
  "npm run test:containers": knownToTurbo,
  "npm run ci:train": knownToTurbo,

  "npm run ci:tools": (line) => {
    const sandbox = new Sandbox();
    sandbox.fake("id", "echo 1000");
    sandbox.fake("sudo");
    sandbox.fake("apt-get", "exit 1");
    // Nothing that is asked for is there.
    sandbox.write("none.sh", 'command() { [ "$2" = apt-get ]; }');
    const { status, calls } = sandbox.run(line, { BASH_ENV: sandbox.path("none.sh") });
    expect(status).toBe(0);
    const asRoot = calls.filter(([name]) => name === "sudo").map((call) => call.slice(2).join(" "));
    expect(asRoot).toContainEqual(expect.stringMatching(/apt-get install .*nginx haproxy wrk prometheus/));
    expect(asRoot.at(-1)).toBe("rm -f /usr/sbin/policy-rc.d");
  },

  "npm run ci:summary": (line) => {
    const { status, summary } = checkout().run(line);
    expect(status).toBe(0);
    for (const version of ["1.0.0", "1.0.1"]) {
      const { test: metrics, model } = JSON.parse(
        readFileSync(join(models, version, "metrics.json"), "utf8"),
      );
      const numbers = [metrics.rmse, metrics.mae, metrics.r2]
        .map((value: number) => value.toFixed(4))
        .join(" | ");
      expect(summary).toContain(`| ${version} | ${model.recipe} | ${numbers} | 4,000 | `);
      expect(summary).toContain(model.digest);
    }
  },

  "npm run ci:gate": (line) => {
    const sandbox = checkout();
    sandbox.fake(
      "docker",
      `case $1 in create) echo c0ffee ;; cp) cp "${models}/1.0.0/model.json" "$3" ;; esac`,
    );
    const { status, stderr, summary, calls } = sandbox.run(line);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(calls.map((call) => call.slice(0, 4).join(" "))).toEqual([
      "docker pull --quiet ghcr.io/acme/sluice-api:production",
      "docker create ghcr.io/acme/sluice-api:production none",
      "docker cp c0ffee:/app/model.json var/stable/model.json",
      "docker rm c0ffee",
    ]);
    expect(summary).toMatch(/✅ model 1\.0\.1 ships: RMSE .* of 1\.0\.0 in service on the same \d+ rows/);
  },

  "npm run -s ci:images": (line) => {
    const { status, outputs } = checkout().run(line, { GITHUB_SHA: revision });
    expect(status).toBe(0);
    const { digest } = JSON.parse(readFileSync(join(models, "1.0.1", "model.json"), "utf8"));
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(outputs).toMatchObject({
      revision,
      source: "https://github.com/Acme/Sluice",
      router: "ghcr.io/acme/sluice-router",
      router_tags: `ghcr.io/acme/sluice-router:${revision},ghcr.io/acme/sluice-router:${version}`,
      api: "ghcr.io/acme/sluice-api",
      api_tags: `ghcr.io/acme/sluice-api:${revision},ghcr.io/acme/sluice-api:1.0.1`,
      model: "artifacts/1.0.1/model.json",
      model_digest: digest,
    });
  },

  "npm run -s ci:released": (line) => {
    const sandbox = new Sandbox();
    const env = {
      ROUTER_IMAGE: image.replace("api", "router"),
      API_IMAGE: image,
      MODEL_DIGEST: `sha256:${"d".repeat(64)}`,
    };
    const { status, summary } = sandbox.run(line, env);
    expect(status).toBe(0);
    for (const value of Object.values(env)) expect(summary).toContain(`\`${value}\``);
    const lost = sandbox.run(line, { ...env, API_IMAGE: "ghcr.io/acme/sluice-api@" });
    expect(lost).toMatchObject({ status: 2, summary: "" });
    expect(lost.stderr).toContain('API_IMAGE is "ghcr.io/acme/sluice-api@": expected an image such as');
  },

  "npm run -s ci:deploy": (line) => {
    const sandbox = new Sandbox();
    sandbox.fake("sluice", "pwd; echo switched");
    const env = {
      DEPLOY_ENVIRONMENT: "staging",
      DEPLOY_IMAGE: image,
      DEPLOY_VIA: "runner",
      DEPLOY_DIR: sandbox.folder,
    };
    const { status, stdout, summary, outputs, calls } = sandbox.run(line, env);
    expect({ status, outputs }).toEqual({ status: 0, outputs: { deployed: "true" } });
    expect(stdout).toBe(`${sandbox.folder}\nswitched\n`);
    expect(calls).toEqual([["sluice", "deploy", "--image", image]]);
    expect(summary).toBe(`### Deploy to staging\n\n✅ Deployed.\n\n\`${image}\`\n`);
  },

  "npm run -s ci:in-service": (line) => {
    const sandbox = new Sandbox();
    sandbox.fake("docker");
    const { status, calls } = sandbox.run(line, { DEPLOY_ENVIRONMENT: "production", DEPLOY_IMAGE: image });
    expect(status).toBe(0);
    expect(calls).toEqual([
      ["docker", "buildx", "imagetools", "create", "--tag", "ghcr.io/acme/sluice-api:production", image],
    ]);
  },
};

test("every line has its execution here, and nothing else has", () => {
  expect(Object.keys(EXECUTED).sort()).toEqual([...runLines].sort());
});

test.each(runLines)("%s", (line) => EXECUTED[line]!(line));
