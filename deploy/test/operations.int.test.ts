import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { endChildren, rootPath } from "../../apps/router/test/support/child.ts";
import {
  type RunningRouter,
  removeFolder,
  restartRouter,
  temporaryFolder,
  untilAnswers,
  untilHealth,
} from "../../apps/router/test/support/running-router.ts";
import { refusedPort, type Upstream, upstream } from "../../apps/router/test/support/upstream.ts";
import { blockOf, commandsOf, replaceAll } from "./document.ts";
import { secureProxies } from "./tls.ts";

const run = promisify(execFile);
const DOCUMENT = "docs/operations.md";

/** What has to be seen after each command that runs beside a router, in their order. */
const EXPECTED: readonly (readonly [start: string, seen: RegExp])[] = [
  ["npm exec -- sluice check", /sluice\.yaml/],
  ["npm exec -- sluice health", /\S/],
  ["npm exec -- sluice status", /blue[\s\S]*green/],
  ["npm exec -- sluice history", /\S/],
  ["mkdir -p", /^$/],
  ["cp ", /^$/],
  ["curl -s 127.0.0.1:9901/metrics", /sluice_client_connections\{worker=[\s\S]*process_open_fds \d/],
  ["curl -s -o /dev/null -w", /^403$/m],
  ["ss ", /LISTEN/],
  ["promtool check config", /SUCCESS/],
  ["promtool check rules", /SUCCESS: \d+ rules found/],
  ["npm exec -- sluice rollback", /blue/],
  ["df -h", /\d%/],
  ["ls -l", /state\.json/],
  ["npm exec -- sluice flip blue --force", /blue/],
];

let models: Upstream[];
let router: RunningRouter;
let replacements: Record<string, string>;

async function shell(command: string): Promise<string> {
  const env = { ...process.env, NO_COLOR: "1", SLUICE_ADMIN: router.admin, SLUICE_TESTS: undefined };
  const { stdout } = await run("sh", ["-c", replaceAll(command, replacements)], { cwd: rootPath(""), env });
  return stdout;
}

async function blueWeight(): Promise<number> {
  const state = (await (await fetch(`${router.admin}/admin/state`)).json()) as {
    weights: Record<string, number>;
  };
  return state.weights.blue!;
}

beforeAll(async () => {
  const folder = temporaryFolder();
  models = [await upstream(), await upstream()];
  const [listen, admin, metrics] = await Promise.all([refusedPort(), refusedPort(), refusedPort()]);
  replacements = {
    "127.0.0.1:8080": `127.0.0.1:${listen}`,
    "127.0.0.1:9900": `127.0.0.1:${admin}`,
    "127.0.0.1:9901": `127.0.0.1:${metrics}`,
    "127.0.0.1:8001": `127.0.0.1:${models[0]!.port}`,
    "127.0.0.1:8002": `127.0.0.1:${models[1]!.port}`,
    "/etc/sluice": join(folder, "etc"),
    "/var/lib/sluice": join(folder, "state"),
    "/var/backups/sluice": join(folder, "backups"),
  };
  mkdirSync(join(folder, "etc"));
  const configPath = join(folder, "etc/sluice.yaml");
  writeFileSync(configPath, replaceAll(blockOf(DOCUMENT, "yaml"), replacements));
  const addresses = { url: `http://127.0.0.1:${listen}`, admin: `http://127.0.0.1:${admin}` };
  router = await restartRouter({ ...addresses, folder, configPath });
  await serving();
  await untilHealth(router, "green", "up");
});

afterAll(async () => {
  await router.child.kill("SIGTERM");
  await endChildren();
  for (const model of models) await model.close();
  removeFolder(router.folder);
});

/** The admin API answers before the clients' port is open. */
const serving = () => untilAnswers(`${router.admin}/readyz`, router.child);

it("lists exactly the commands that are tested", () => {
  const untested = commandsOf(DOCUMENT, "").filter(
    (command) => !EXPECTED.some(([start]) => command.startsWith(start)),
  );
  expect(untested).toEqual([]);
});

for (const [start, seen] of EXPECTED) {
  it(`runs ${start}`, async () => {
    const command = commandsOf(DOCUMENT, "").find((line) => line.startsWith(start))!;
    expect(await shell(command)).toMatch(seen);
  });
}

it("restores the weights of a backup into a stopped router", async () => {
  const before = await blueWeight();
  for (const command of commandsOf(DOCUMENT, "").filter((line) => line.startsWith("cp ")))
    await shell(command);
  await shell("npm exec -- sluice flip green");
  expect(await blueWeight()).not.toBe(before);
  expect(await router.child.kill("SIGTERM")).toBe(0);
  for (const command of commandsOf(DOCUMENT, "stopped")) await shell(command);
  router = await restartRouter(router);
  await serving();
  expect(await blueWeight()).toBe(before);
});

for (const proxy of secureProxies) {
  it.skipIf(!proxy.installed)(`believes ${proxy.name} about the client, and no client`, async () => {
    const text = replaceAll(blockOf(DOCUMENT, proxy.language), replacements);
    const secure = await proxy.start(text, router.folder);
    const answer = await secure.get("/echo", { "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "gopher" });
    expect(answer).toBe(200);
    const seen = models.flatMap((model) => model.seen).find(({ url }) => url === "/echo")!;
    models.forEach((model) => {
      model.seen.length = 0;
    });
    expect(seen.headers["x-forwarded-for"]).toMatch(/^127\.0\.0\.1(, 127\.0\.0\.1)?$/);
    expect(seen.headers["x-forwarded-proto"]).toMatch(/^https/);
    expect(seen.headers["x-forwarded-host"]).toContain("localhost");
  });
}
