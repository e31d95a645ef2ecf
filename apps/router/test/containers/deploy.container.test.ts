import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { Child, endChildren, rootPath } from "../support/child.ts";
import { ComposeProject, endProjects, imageVariables } from "../support/compose-project.ts";
import { docker } from "../support/docker.ts";
import { predict, SteadyClient } from "../support/trips.ts";

const prefix = inject("imagePrefix");
const api = (version: string) => `${prefix}sluice-api:${version}`;
const HEAD = "# what this machine runs\nSLUICE_KEEP='as it is' # really\n";

let project: ComposeProject;
let client: SteadyClient;

beforeAll(async () => {
  project = new ComposeProject();
  const lines = Object.entries(imageVariables(prefix)).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(project.folder, ".env"), HEAD + lines.join(""));
  await project.compose("up", "--detach");
  for (const service of ["router", "api-blue", "api-green"]) await project.healthy(service);
});
afterAll(async () => {
  await endProjects();
  await endChildren();
});

beforeEach(async () => {
  client = new SteadyClient(await project.url("router", 8080), 300);
});
afterEach(async () => {
  await client.stop();
});

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

async function sluice(...args: readonly string[]): Promise<Ran> {
  const env = {
    ...project.env,
    SLUICE_ADMIN: await project.url("router", 9900),
    SLUICE_URL: await project.url("router", 8080),
    SLUICE_ADMIN_TOKEN: await project.token(),
  };
  const child = Child.node("apps/router/bin/sluice.js", args, { env, cwd: project.folder });
  const code = await child.exited();
  await child.closed();
  return { code, output: child.output };
}

const envFile = () => readFileSync(join(project.folder, ".env"), "utf8");

async function running(service: string): Promise<boolean> {
  return project.inspect(service).then(
    ({ State }) => State.Running,
    () => false,
  );
}

/** A version of the model API that is odd in some way. */
async function odd(name: string, lines: readonly string[]): Promise<string> {
  const context = join(project.folder, "var", name);
  mkdirSync(context, { recursive: true });
  copyFileSync(rootPath("apps/router/test/support/odd-model.ts"), join(context, "odd-model.ts"));
  writeFileSync(join(context, "Dockerfile"), [`FROM ${api("1.0.1")}`, ...lines, ""].join("\n"));
  const tag = `${prefix}odd:${name}`;
  await docker("build", "--quiet", "--tag", tag, context);
  return tag;
}

const oddModel = (fault: string) => [
  "COPY odd-model.ts /app/odd-model.ts",
  `ENV ODD_MODEL=${fault}`,
  'ENTRYPOINT ["node", "/app/odd-model.ts", "--host", "0.0.0.0", "--port", "8000", "--model", "/app/model.json"]',
];

/** Green serves the version of the main path, and nothing is left of the try. */
async function expectGreen(): Promise<void> {
  const url = await project.url("router", 8080);
  for (let i = 0; i < 3; i++)
    expect(await predict(url)).toEqual({ status: 200, color: "green", version: "1.0.1" });
  expect(await running("api-blue")).toBe(false);
  expect(await running("api-green")).toBe(true);
  expect(envFile()).toContain(`SLUICE_BLUE_IMAGE=${api("1.0.0")}\n`);
  await client.more(2);
}

it("ships an image without losing a request, stops the old one, and writes what is deployed into .env", async () => {
  const image = `${prefix}release:1`;
  await docker("tag", api("1.0.1"), image);
  const refused = await sluice("deploy", "--image", image);
  expect(refused.output).toMatch(/several colors serve \(blue 90 %, green 10 %\)/);
  expect(refused.code).toBe(1);
  const planned = await sluice("deploy", "--image", image, "--color", "green", "--dry-run");
  expect(planned.output).toMatch(/give the requests of green to blue, and clear green/);
  expect(planned.output).toContain(`SLUICE_GREEN_IMAGE=${image} in ${join(project.folder, ".env")}`);
  expect(envFile()).not.toContain(image);

  const { code, output } = await sluice("deploy", "--image", image, "--color", "green");
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toMatch(/20 golden rows are right/);
  await expectGreen();
  expect(await client.stop()).toEqual([]);
  expect(envFile().startsWith(HEAD)).toBe(true);
  expect(envFile()).toContain(`SLUICE_GREEN_IMAGE=${image}\n`);
  expect((await project.inspect("api-blue")).State.ExitCode).toBe(0);
});

it("leaves the old version untouched when the container's health check fails, and shows its last lines", async () => {
  const image = await odd("unhealthy", [
    'HEALTHCHECK --interval=1s --timeout=2s --retries=1 CMD ["node", "-e", "process.exit(1)"]',
  ]);
  const { code, output } = await sluice("deploy", "--image", image);
  expect(code).toBe(1);
  expect(output).toMatch(
    /failed \(ready\): Docker calls the container of api-blue unhealthy\. green serves untouched, and blue is stopped\.\n$/,
  );
  expect(output).toMatch(/the last lines of blue's log:\n.*"msg":"listening"/);
  await expectGreen();
  expect(await client.stop()).toEqual([]);
});

it("leaves the old version untouched when the new one is not the model that its label says", async () => {
  const { code, output } = await sluice("deploy", "--image", await odd("digest", oddModel("digest")));
  expect(code).toBe(1);
  expect(output).toMatch(
    /failed \(check\): blue \(\S+\) serves the digest sha256:0+; expected sha256:\w{64}\. green serves/,
  );
  await expectGreen();
  expect(await client.stop()).toEqual([]);
});

it("says so when the container ends at once, and when there is no such image", async () => {
  const ends = await sluice("deploy", "--image", await odd("exit", oddModel("exit")));
  expect(ends.code).toBe(1);
  expect(ends.output).toMatch(
    /failed \(ready\): the container of api-blue ended while it was starting \((exit code 3|Docker has started it again \d+ times)\)/,
  );
  expect(ends.output).toMatch(/the model file is from another planet/);
  const none = await sluice("deploy", "--image", `${prefix}nobody:has-it`, "--pull", "never");
  expect([none.code, none.output]).toEqual([
    1,
    expect.stringMatching(/image \S+ is not on this machine, and --pull never/),
  ]);
  await expectGreen();
  expect(await client.stop()).toEqual([]);
});

it("rollback brings the version before back, whose container is gone, and compose up reverts nothing", async () => {
  const { code, output } = await sluice("rollback");
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toMatch(/starting \S+ on blue again/);
  const url = await project.url("router", 8080);
  expect(await predict(url)).toEqual({ status: 200, color: "blue", version: "1.0.0" });
  await client.more(2);
  expect(await client.stop()).toEqual([]);
  const before = await project.inspect("api-blue");
  await project.compose("up", "--detach");
  expect((await project.inspect("api-blue")).Id).toBe(before.Id);
  expect(await predict(await project.url("router", 8080))).toMatchObject({ status: 200, color: "blue" });
});

it("switches back when the new version does not answer from outside", async () => {
  const { code, output } = await sluice("deploy", "--image", await odd("outside", oddModel("outside")));
  expect(code).toBe(1);
  expect(output).toMatch(/20 requests from outside were answered by blue/);
  expect(output).toMatch(
    /failed \(verify\): .* answers 500; expected 200 \(odd\)\. blue serves again, and green is stopped\.\n$/,
  );
  expect(await predict(await project.url("router", 8080))).toMatchObject({ status: 200, color: "blue" });
  expect(await running("api-green")).toBe(false);
  await client.more(2);
  const lost = await client.stop();
  // what clients got from the broken version itself, until it was noticed
  expect(lost.every(({ status }) => status === 500)).toBe(true);
});
