import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { train } from "../test/models.ts";
import { type Ran, Sandbox } from "../test/sandbox.ts";

const GATE = "node scripts/ci/gate.ts";
let models: string;

beforeAll(() => {
  models = mkdtempSync(join(tmpdir(), "sluice-models-"));
  train(models, "baseline", "1.10.0");
  train(models, "full", "1.9.0");
  return () => rmSync(models, { recursive: true });
});

/** Runs the gate for these versions, with a docker whose pull and cp are as given. */
function gate(versions: readonly string[], docker: { pull?: string; cp?: string }, env = {}): Ran {
  const sandbox = new Sandbox();
  for (const version of versions)
    cpSync(join(models, version), sandbox.path("artifacts", version), { recursive: true });
  const { pull = "", cp = "exit 1" } = docker;
  sandbox.fake("docker", `case $1 in pull) ${pull || ":"} ;; create) echo c0ffee ;; cp) ${cp} ;; esac`);
  return sandbox.run(GATE, env);
}

const stable = (version: string) => ({ cp: `cp "${models}/${version}/model.json" "$3"` });
const fails = (message: string) => ({ pull: `echo '${message}' >&2; exit 1` });

describe("the pipeline's gate", () => {
  test("stops a model that is worse than the one in service, and says so in the summary", () => {
    const { status, summary, stderr } = gate(["1.9.0", "1.10.0"], stable("1.9.0"));
    expect(status).toBe(1);
    expect(summary).toMatch(
      /❌ model 1\.10\.0 does not ship: RMSE .* of 1\.9\.0 in service on the same 779 rows/,
    );
    expect(summary).toMatch(/With 95 % confidence the RMSE changes by \+\d+\.\d\d % to \+\d+\.\d\d %\./);
    expect(stderr).not.toMatch(/\n +at /);
  });

  test.each([
    "Error response from daemon: manifest unknown",
    "failed to resolve reference: ghcr.io/acme/sluice-api:production: not found",
  ])("lets the first release pass: %s", (message) => {
    const { status, summary, calls } = gate(["1.9.0"], fails(message));
    expect(status).toBe(0);
    expect(summary).toContain("Nothing is in service: there is no `ghcr.io/acme/sluice-api:production` yet.");
    expect(calls).toHaveLength(1);
  });

  test.each(["denied: denied", "net/http: TLS handshake timeout", "toomanyrequests"])(
    "ships nothing when it cannot know what is in service: %s",
    (message) => {
      const { status, summary, stderr } = gate(["1.9.0"], fails(message));
      expect({ status, summary }).toEqual({ status: 2, summary: "" });
      expect(stderr).toContain(
        `cannot be pulled, so what is in service is unknown and nothing ships (${message})`,
      );
    },
  );

  test("takes a denial for a first release only if it is told to", () => {
    const env = { SLUICE_FIRST_RELEASE: "true" };
    expect(gate(["1.9.0"], fails("denied: denied"), env).status).toBe(0);
    expect(gate(["1.9.0"], fails("connection refused"), env).status).toBe(2);
  });

  test("compares with the environment that SLUICE_IN_SERVICE names", () => {
    const { calls } = gate(["1.9.0"], stable("1.9.0"), { SLUICE_IN_SERVICE: "staging" });
    expect(calls[0]).toEqual(["docker", "pull", "--quiet", "ghcr.io/acme/sluice-api:staging"]);
  });

  test.each<[string, readonly string[], { pull?: string; cp?: string }, object, RegExp]>([
    ["an image without a model", ["1.9.0"], {}, {}, /has no \/app\/model\.json/],
    [
      "a damaged model in service",
      ["1.9.0"],
      { cp: "echo '{' >\"$3\"" },
      {},
      /gave no verdict: .* cannot be used/,
    ],
    [
      "nothing trained",
      [],
      {},
      {},
      /artifacts holds no VERSION\/model\.json: run "npm run ci:train" first\./,
    ],
    [
      "no repository",
      ["1.9.0"],
      {},
      { GITHUB_REPOSITORY: "x" },
      /GITHUB_REPOSITORY is "x": expected OWNER\/REPOSITORY/,
    ],
  ])("gives no verdict with %s", (_, versions, docker, env, sentence) => {
    const { status, stderr } = gate(versions, docker, env);
    expect(status).toBe(2);
    expect(stderr.trim().split("\n").at(-1)).toMatch(sentence);
  });
});
