import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Sandbox } from "../test/sandbox.ts";
import { root } from "../test/workflows.ts";

const DEPLOY = "node scripts/ci/deploy.ts";
const image = `ghcr.io/acme/sluice-api@sha256:${"a".repeat(64)}`;
const digest = `sha256:${"d".repeat(64)}`;
// Not a key: only its first line is looked at.
const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----";

/** A sandbox whose ssh runs the command here, after a look at what it was given. */
function machine(sluice: string, ssh = ""): { sandbox: Sandbox; env: Record<string, string> } {
  const sandbox = new Sandbox();
  sandbox.fake("sluice", sluice);
  const look = `while [ $# -gt 1 ]; do case $1 in -i) cat "$2" >'${sandbox.path("key")}'; stat -c %a "$2" >'${sandbox.path("mode")}' ;; esac; shift; done`;
  sandbox.fake("ssh", `env >'${sandbox.path("ssh.env")}'\n${ssh}\n${look}\nexec sh -c "$1"`);
  const env = {
    DEPLOY_ENVIRONMENT: "production",
    DEPLOY_IMAGE: image,
    DEPLOY_EXPECT_DIGEST: digest,
    DEPLOY_VIA: "ssh",
    DEPLOY_DIR: sandbox.folder,
    SSH_HOST: "vm.example.com",
    SSH_USER: "deploy",
    SSH_KNOWN_HOSTS: "vm.example.com ssh-ed25519 AAAAC3Nz",
    SSH_PRIVATE_KEY: key,
  };
  return { sandbox, env };
}

describe("over SSH", () => {
  test("runs sluice deploy in the machine's folder, with the known host key and nothing less", () => {
    const { sandbox, env } = machine("pwd");
    const { status, stdout, calls, outputs } = sandbox.run(DEPLOY, env);
    expect({ status, stdout, outputs }).toEqual({
      status: 0,
      stdout: `${sandbox.folder}\n`,
      outputs: { deployed: "true" },
    });
    const [ssh, sluice] = calls;
    expect(sluice).toEqual(["sluice", "deploy", "--image", image, "--expect-digest", digest]);
    expect(ssh!.slice(1, 3)).toEqual(["-F", "/dev/null"]);
    for (const option of ["BatchMode=yes", "StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null"]) {
      expect(ssh).toContain(option);
    }
    expect(ssh!.slice(-4, -1)).toEqual(["22", "--", "deploy@vm.example.com"]);
  });

  test("keeps the key from everyone, and takes it away again", () => {
    const { sandbox, env } = machine("exit 1");
    const { stdout, stderr, summary, calls } = sandbox.run(DEPLOY, env);
    expect(readFileSync(sandbox.path("key"), "utf8")).toBe(`${key}\n`);
    expect(readFileSync(sandbox.path("mode"), "utf8")).toBe("600\n");
    const file = calls[0]![calls[0]!.indexOf("-i") + 1]!;
    expect(existsSync(file)).toBe(false);
    const seen = [stdout, stderr, summary, calls.join(), readFileSync(sandbox.path("ssh.env"), "utf8")];
    expect(seen.join()).not.toContain("c2VjcmV0");
  });

  test("a lost connection is not called a rollback", () => {
    const { sandbox, env } = machine("", "echo 'Connection reset by peer' >&2; exit 255");
    const { status, summary, outputs } = sandbox.run(DEPLOY, env);
    expect({ status, outputs }).toEqual({ status: 255, outputs: { deployed: "false" } });
    expect(summary).toContain("is not known here: Connection reset by peer");
    expect(summary).not.toContain("rolls back");
  });

  test("a folder with a quote and a blank is one word for the machine's shell", () => {
    const { sandbox, env } = machine("pwd");
    sandbox.write("it's a folder/compose.yaml", "");
    const { stdout } = sandbox.run(DEPLOY, { ...env, DEPLOY_DIR: sandbox.path("it's a folder") });
    expect(stdout).toBe(`${sandbox.path("it's a folder")}\n`);
  });
});

test("a rollback is the job's failure, with the reason in the summary", () => {
  const reason = "deploy: green did not become healthy within 60 s; blue serves as before.";
  for (const via of ["ssh", "runner"]) {
    const { sandbox, env } = machine(`echo 'phase: healthy?'; echo '${reason}' >&2; exit 1`);
    const { status, stdout, summary, outputs } = sandbox.run(DEPLOY, { ...env, DEPLOY_VIA: via });
    expect({ status, outputs }).toEqual({ status: 1, outputs: { deployed: "false" } });
    expect(stdout).toContain("phase: healthy?");
    expect(summary).toContain("### Deploy to production\n\n❌ Not deployed; ");
    expect(summary).toContain(` rolls back by itself and says: ${reason}\n`);
  }
});

test("the real sluice deploy understands what it is asked, and its failure is the job's", () => {
  const { sandbox, env } = machine("");
  const run = { GITHUB_SERVER_URL: "https://github.com", GITHUB_RUN_ID: "42" };
  const real = {
    DEPLOY_COMMAND: `${process.execPath} ${join(root, "apps/router/bin/sluice.js")}`,
    DEPLOY_OPTIONS: "--admin http://127.0.0.1:1 --keep-old 10m --steps 5,100",
  };
  const { status, summary } = sandbox.run(DEPLOY, { ...env, ...run, ...real });
  expect(status).toBe(1);
  // Bad options would end it with 2; it got as far as looking at the folder.
  expect(summary).toMatch(/❌ Not deployed; .* says: sluice: there is no .*compose\.yaml/);
  const fake = sandbox.run(DEPLOY, { ...env, ...run }).calls.at(-1)!;
  expect(fake.slice(-2)).toEqual(["--reason", "https://github.com/Acme/Sluice/actions/runs/42"]);
});

test("a wrong use of sluice deploy is not called a rollback", () => {
  const { sandbox, env } = machine("echo 'unknown option' >&2; exit 2");
  const { status, summary } = sandbox.run(DEPLOY, env);
  expect(status).toBe(2);
  expect(summary).toContain("`sluice deploy` ended with 2: unknown option");
});

test("options and another command for sluice are passed on, word by word", () => {
  const { sandbox, env } = machine("");
  sandbox.fake("docker");
  const more = {
    DEPLOY_OPTIONS: "--keep-old 10m  --note $(id)",
    DEPLOY_COMMAND: "docker compose run sluice",
  };
  expect(sandbox.run(DEPLOY, { ...env, ...more }).calls[1]).toEqual(
    `docker compose run sluice deploy --image ${image} --expect-digest ${digest} --keep-old 10m --note $(id)`.split(
      " ",
    ),
  );
});

test("a canceled job lets the deploy put things right, and waits for it", async () => {
  const program =
    'process.on("SIGTERM", () => { console.log("rolling back"); process.exit(1); });' +
    'console.log("ready"); setInterval(() => {}, 1000);';
  const { sandbox, env } = machine(`exec node -e '${program}'`);
  const started = spawn(process.execPath, ["scripts/ci/deploy.ts"], {
    cwd: sandbox.folder,
    env: { ...process.env, ...env, DEPLOY_VIA: "runner", PATH: `${sandbox.path("bin")}:${process.env.PATH}` },
  });
  onTestFinished(() => void started.kill("SIGKILL"));
  let printed = "";
  started.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (printed === "" && text.includes("ready")) started.kill("SIGTERM");
    printed += text;
  });
  const [code] = await once(started, "close");
  expect({ code, rolledBack: printed.includes("rolling back") }).toEqual({ code: 1, rolledBack: true });
});

describe("bad settings end with 2 and one sentence, before anything is done", () => {
  test.each<[string, Record<string, string>, RegExp]>([
    ["no image", { DEPLOY_IMAGE: "" }, /^DEPLOY_IMAGE is not set: expected the image to deploy\.$/],
    [
      "an image that is an option",
      { DEPLOY_IMAGE: "--privileged" },
      /^DEPLOY_IMAGE is "--privileged": expected an image/,
    ],
    [
      "an image with a command",
      { DEPLOY_IMAGE: "ghcr.io/a/b:1;reboot" },
      /^DEPLOY_IMAGE is "ghcr\.io\/a\/b:1;reboot"/,
    ],
    ["an image without a tag", { DEPLOY_IMAGE: "ghcr.io/a/b" }, /expected an image such as/],
    [
      "a short digest",
      { DEPLOY_EXPECT_DIGEST: "sha256:12" },
      /^DEPLOY_EXPECT_DIGEST is "sha256:12": expected sha256:<hex>/,
    ],
    ["another way", { DEPLOY_VIA: "ftp" }, /^DEPLOY_VIA is "ftp": expected runner or ssh\.$/],
    [
      "a relative folder",
      { DEPLOY_DIR: "sluice" },
      /^DEPLOY_DIR is "sluice": expected the folder of compose\.yaml/,
    ],
    [
      "a host that is an option",
      { SSH_HOST: "-oProxyCommand=id" },
      /^SSH_HOST is "-oProxyCommand=id": expected/,
    ],
    [
      "no known host",
      { SSH_KNOWN_HOSTS: "# nothing" },
      /^SSH_KNOWN_HOSTS is "# nothing": expected the output of ssh-keyscan/,
    ],
    ["a port that is none", { SSH_PORT: "ssh" }, /^SSH_PORT is "ssh": expected a number\.$/],
    ["no key", { SSH_PRIVATE_KEY: "" }, /^SSH_PRIVATE_KEY is not set: expected a private key/],
    [
      "a wrong key",
      { SSH_PRIVATE_KEY: "hunter2" },
      /^SSH_PRIVATE_KEY does not look like one: expected a private key/,
    ],
  ])("%s", (_, wrong, sentence) => {
    const { sandbox, env } = machine("");
    const { status, stderr, calls } = sandbox.run(DEPLOY, { ...env, ...wrong });
    expect({ status, calls }).toEqual({ status: 2, calls: [] });
    expect(stderr.trim()).toMatch(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});

describe("a release that was overtaken", () => {
  const sha = "1".repeat(40);

  /** Runs with a GitHub that answers so to the question for the newest commit. */
  async function withNewest(body: string, status = 200) {
    const asked: string[] = [];
    const server = createServer(({ url, headers: { authorization } }, response) => {
      asked.push(`${url} ${authorization}`);
      response.writeHead(status).end(body);
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { sandbox, env } = machine("");
    const github = {
      GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      GITHUB_REPOSITORY: "Acme/Sluice",
      GITHUB_REF_NAME: "main",
      GITHUB_SHA: sha,
      GITHUB_TOKEN: "token",
    };
    const ran = await sandbox.runAsync(DEPLOY, { ...env, ...github, DEPLOY_ONLY_NEWEST: "true" });
    return { ...ran, asked };
  }

  test("is not deployed after its successor", async () => {
    const newer = "2".repeat(40);
    const { status, calls, summary, outputs, asked } = await withNewest(newer);
    expect(asked).toEqual(["/repos/Acme/Sluice/commits/main Bearer token"]);
    expect({ status, calls, outputs }).toEqual({ status: 0, calls: [], outputs: { deployed: "false" } });
    expect(summary).toContain(`Not deployed: ${newer} is newer`);
  });

  test("is told from one that is the newest", async () => {
    const { status, outputs } = await withNewest(sha);
    expect({ status, outputs }).toEqual({ status: 0, outputs: { deployed: "true" } });
  });

  test("is not guessed at when GitHub does not say", async () => {
    const { status, stderr, calls } = await withNewest("oops", 502);
    expect({ status, calls }).toEqual({ status: 2, calls: [] });
    expect(stderr).toMatch(/answered 502 and no commit: expected the newest one\.\n$/);
  });
});
