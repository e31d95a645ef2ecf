import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { rootPath } from "../support/child.ts";
import { cleanCopy } from "../support/compose-project.ts";
import { docker, type Inspected, untilContainer, untilHealthy } from "../support/docker.ts";

const run = promisify(execFile);
const BASE = "node:24-bookworm-slim";
const MOST_ABOVE_BASE = 60_000_000;

const prefix = inject("imagePrefix");
const router = `${prefix}sluice-router:latest`;
const apis = [`${prefix}sluice-api:1.0.0`, `${prefix}sluice-api:1.0.1`] as const;

interface Image {
  readonly Size: number;
  readonly Config: {
    readonly User: string;
    readonly StopSignal: string;
    readonly Entrypoint: readonly string[];
    readonly Healthcheck: { readonly Test: readonly string[] };
    readonly Labels: Readonly<Record<string, string>>;
  };
  readonly RootFS: { readonly Layers: readonly string[] };
}

async function image(name: string): Promise<Image> {
  return JSON.parse(await docker("image", "inspect", name))[0];
}

/** Each file of /app with its mode, date and hash. */
async function filesOf(name: string): Promise<string> {
  const list = `for (const file of fs.readdirSync("/app", { recursive: true }).sort()) {
    const { mode, mtimeMs, size } = fs.statSync("/app/" + file);
    const hash = mode & 0o100000 ? crypto.hash("sha256", fs.readFileSync("/app/" + file)) : "";
    console.log(file, mode, mtimeMs, size, hash);
  }`;
  return docker("run", "--rm", "--entrypoint", "node", name, "-e", list);
}

const started: string[] = [];
afterEach(async () => {
  const gone = started.splice(0);
  if (gone.length > 0) await docker("rm", "--force", "--volumes", ...gone);
});

/** Starts a container as compose.yaml does: nothing may be written, nothing is allowed. */
async function start(name: string, ...options: readonly string[]): Promise<string> {
  const hard = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
  const publish = ["--publish", "127.0.0.1::8000", "--health-interval", "1s"];
  const id = await docker("run", "--detach", ...hard, ...publish, ...options, name);
  started.push(id);
  return id;
}

async function urlOf(container: string): Promise<string> {
  return `http://${await docker("port", container, "8000/tcp")}`;
}

let copy: string;
beforeAll(() => {
  copy = cleanCopy();
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Builds in the clean copy. @returns standard output and error together; rejects with them in the message. */
async function build(...args: readonly string[]): Promise<string> {
  const network = process.env.SLUICE_BUILD_NETWORK;
  const words = ["build", "--force-rm", ...(network ? ["--network", network] : []), ...args, "."];
  const { stdout, stderr } = await run("docker", words, { cwd: copy, maxBuffer: 64 * 1024 * 1024 }).catch(
    (error) => Promise.reject(new Error(`${error.stdout}${error.stderr}`)),
  );
  return stdout + stderr;
}

describe.each([router, ...apis])("the image %s", (name) => {
  it("is less than 60 MB larger than its base", async () => {
    const above = (await image(name)).Size - (await image(BASE)).Size;
    expect(above).toBeGreaterThan(0);
    expect(above).toBeLessThan(MOST_ABOVE_BASE);
  });

  it("runs as node, without a shell, and ends by SIGTERM", async () => {
    const { Config } = await image(name);
    expect(Config).toMatchObject({ User: "node", StopSignal: "SIGTERM" });
    expect(Config.Entrypoint[0]).toBe("node");
    expect(Config.Healthcheck.Test).toEqual(["CMD", "node", "/app/healthcheck.js"]);
  });

  it("says where it comes from", async () => {
    const { Labels } = (await image(name)).Config;
    const revision = Labels["org.opencontainers.image.revision"]!.replace(/-dirty$/, "");
    await run("git", ["merge-base", "--is-ancestor", revision, "HEAD"], { cwd: rootPath("") });
    expect(Labels["org.opencontainers.image.title"]).toBe(/sluice-\w+(?=:)/.exec(name)?.[0]);
    expect(Labels["org.opencontainers.image.version"]).toMatch(/^\d+\.\d+\.\d+$/);
    expect(Date.parse(Labels["org.opencontainers.image.created"]!)).toBeGreaterThan(0);
  });

  it("holds a bundle, and nothing that it was made of", async () => {
    const list = 'console.log(fs.readdirSync("/app", { recursive: true }).join("\\n"))';
    const files = (await docker("run", "--rm", "--entrypoint", "node", name, "-e", list)).split("\n");
    expect(files).toContain("healthcheck.js");
    const strange = files.filter((file) => !/\.(js|css|png|html|json)$|^api-docs$|LICENSE|NOTICE/.test(file));
    expect(strange).toEqual([]);
    // the bundler names a chunk after its package's folder: src-….js is none
    const folders = /(^|\/)(node_modules|src|test)(\/|$)/;
    expect(files.filter((file) => folders.test(file))).toEqual([]);
  });
});

describe.each(apis)("%s", (name) => {
  it("carries the model that its labels name, and becomes healthy with a read-only root", async () => {
    const id = await start(name);
    const { Config } = await untilHealthy(id);
    const model = (await (await fetch(`${await urlOf(id)}/model`)).json()) as Record<string, string>;
    expect(Config.Labels).toMatchObject({
      "ai.sluice.model.version": model.version,
      "ai.sluice.model.digest": model.digest,
      "org.opencontainers.image.version": model.version,
    });
    expect(name.endsWith(`:${model.version}`)).toBe(true);
  });
});

it("runs its processes as uid 1000", async () => {
  const id = await start(apis[0]);
  const [, ...uids] = (await docker("top", id, "-eo", "pid,uid")).split("\n");
  expect(uids.map((line) => line.trim().split(/\s+/)[1])).toEqual(["1000"]);
});

it("needs no shell", async () => {
  const name = `${prefix}no-shell`;
  const remove =
    'for (const f of fs.readdirSync("/usr/bin")) if (/^(sh|bash|dash|rbash)$/.test(f)) fs.rmSync("/usr/bin/" + f);' +
    'for (const f of ["sh", "bash", "dash", "rbash"]) fs.rmSync("/bin/" + f, { force: true })';
  const file = join(copy, "no-shell.Dockerfile");
  writeFileSync(
    file,
    `FROM ${apis[0]}\nUSER root\nRUN ${JSON.stringify(["node", "-e", remove])}\nUSER node\n`,
  );
  await build("--file", file, "--tag", name);
  await expect(docker("run", "--rm", "--entrypoint", "/bin/sh", name, "-c", "true")).rejects.toThrow(
    /no such file/,
  );
  const id = await start(name);
  await untilHealthy(id);
  await docker("stop", id);
  expect((await untilContainer(id, ({ State }) => !State.Running)).State.ExitCode).toBe(0);
});

it("is unhealthy without its model, and says why", async () => {
  const id = await start(apis[0], "--env", "MODEL_PATH=/nowhere", "--health-start-period", "1ms");
  const last = ({ State }: Inspected) => State.Health?.Log?.at(-1)?.Output ?? "";
  const found = await untilContainer(
    id,
    (each) => each.State.Health?.Status === "unhealthy" && last(each).startsWith("503"),
  );
  expect(last(found)).toMatch(/No model is loaded/);
});

it("says in a sentence what the router lacks", async () => {
  const failed = docker("run", "--rm", "--read-only", router);
  await expect(failed).rejects.toThrow(/sluice: .*\/etc\/sluice\/sluice\.yaml/);
  await expect(failed).rejects.not.toThrow(/ {4}at /);
});

it.each([
  ["http://127.0.0.1:1/", /^http:\/\/127\.0\.0\.1:1\/: .*ECONNREFUSED/],
  ["nonsense", /^HEALTHCHECK_URL is "nonsense": expected a URL\.$/],
])("has a healthcheck that fails on %s with a sentence", async (url, reason) => {
  const words = ["--env", `HEALTHCHECK_URL=${url}`, "--entrypoint", "node", router, "/app/healthcheck.js"];
  const failed = await run("docker", ["run", "--rm", ...words]).catch((error) => error);
  expect(failed).toMatchObject({ code: 1, stderr: "" });
  expect(failed.stdout.trim()).toMatch(reason);
});

describe("make-secrets", () => {
  const caps = ["CHOWN", "DAC_OVERRIDE", "FOWNER"].flatMap((cap) => ["--cap-add", cap]);
  /** Runs it as compose's service `secrets` does, on a folder with these files. */
  async function make(files: Readonly<Record<string, string>>): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), "sluice-secrets-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(folder, name), text, { mode: 0o600 });
    const hard = ["--rm", "--read-only", "--cap-drop", "ALL", ...caps, "--user", "0:0", "--network", "none"];
    const words = ["--volume", `${folder}:/secrets`, "--entrypoint", "node", router, "/app/make-secrets.js"];
    await docker("run", ...hard, ...words, "/secrets/admin-token");
    return folder;
  }

  it("keeps a token that is there, and lets the images read it", async () => {
    const file = join(await make({ "admin-token": "mine\n" }), "admin-token");
    expect(statSync(file)).toMatchObject({ gid: 1000, mode: 0o100640 });
    expect(
      await docker(
        "run",
        "--rm",
        "--volume",
        `${file}:/t:ro`,
        "--entrypoint",
        "node",
        router,
        "-p",
        'fs.readFileSync("/t", "utf8")',
      ),
    ).toBe("mine");
  });

  it("refuses an empty token, and leaves no part of a file", async () => {
    await expect(make({ "admin-token": "" })).rejects.toThrow(
      /make-secrets: \/secrets\/admin-token is empty: expected a token in it\./,
    );
    expect(readdirSync(await make({}))).toEqual(["admin-token"]);
  });
});

describe("a build", () => {
  const claims = [
    ["another version", ["MODEL_VERSION=9.9.9"], /is version 1\.0\.0, .* labeled 9\.9\.9/],
    [
      "another digest",
      ["MODEL_VERSION=1.0.0", "MODEL_DIGEST=sha256:00"],
      /digest is sha256:\w{64}, .*sha256:00/,
    ],
    ["a released image's name", ["IMAGE=ghcr.io/acme/sluice-api:2.0.0"], /ghcr\.io.*pull it instead/],
  ] as const;

  it.each(claims)("fails when its labels would claim %s", async (_, args, reason) => {
    mkdirSync(join(copy, "artifacts/1.0.0"), { recursive: true });
    cpSync(rootPath("artifacts/1.0.0/model.json"), join(copy, "artifacts/1.0.0/model.json"));
    const words = ["MODEL=artifacts/1.0.0/model.json", ...args].flatMap((each) => ["--build-arg", each]);
    await expect(build("--file", "Dockerfile.api", ...words)).rejects.toThrow(reason);
  });

  it("makes the same files from the same sources", async () => {
    const [once, again] = [`${prefix}once`, `${prefix}again`];
    await build("--file", "Dockerfile.router", "--tag", once);
    await build("--no-cache", "--file", "Dockerfile.router", "--tag", again);
    expect(await filesOf(again)).toBe(await filesOf(once));
  });

  it("never sees secrets, data, state or installed packages", async () => {
    const planted = [
      ".env",
      "apps/router/.env",
      "apps/router/.env.local",
      "deploy/compose/secrets/admin-token",
      "data/uber.csv",
      "var/sluice/state.json",
      "artifacts/1.0.0/report.html",
      "apps/router/node_modules/x/index.js",
      "apps/router/dist/sluice.js",
    ];
    for (const file of planted) {
      mkdirSync(join(copy, file, ".."), { recursive: true });
      writeFileSync(join(copy, file), "secret");
    }
    symlinkSync("/etc", join(copy, "var/link"));
    const name = `${prefix}context`;
    const file = join(copy, "context.Dockerfile");
    writeFileSync(file, `FROM ${BASE}\nWORKDIR /context\nCOPY . .\nCMD ["find", ".", "-type", "f"]\n`);
    await build("--file", file, "--tag", name);
    const seen = (await docker("run", "--rm", name)).split("\n").map((path) => path.replace("./", ""));
    expect(seen).toContain("data/sample.csv");
    expect(planted.filter((path) => seen.includes(path))).toEqual([]);
    expect(seen.filter((path) => path.startsWith("deploy/") && !path.startsWith("deploy/images/"))).toEqual(
      seen.filter((path) => path === "deploy/package.json"),
    );
  });
});
