import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { installed } from "../../../../test.shared.ts";
import { listeningFd } from "../../src/listening-fd.ts";
import { Child, endChildren, rootPath } from "../support/child.ts";
import { Load } from "../support/load.ts";
import {
  type RunningRouter,
  removeFolder,
  temporaryFolder,
  untilAnswers,
} from "../support/running-router.ts";
import { endRouter, stateOf, upgrade } from "../support/upgrading.ts";
import { refusedPort } from "../support/upstream.ts";
import { endWorkers, isAlive, until, workersOf } from "../support/workers.ts";

const SLUICE = rootPath("apps/router/bin/sluice.js");

let router: RunningRouter;
let base: Record<string, unknown>;
let ports: { http: number; admin: number };

beforeEach(async () => {
  const folder = temporaryFolder();
  ports = { http: await refusedPort(), admin: await refusedPort() };
  const model = await refusedPort();
  await Child.node("apps/router/test/support/fake-model.ts", [String(model), "blue"]).printed(/listening/);
  router = {
    folder,
    configPath: join(folder, "sluice.yaml"),
    url: `http://127.0.0.1:${ports.http}`,
    admin: `http://127.0.0.1:${ports.admin}`,
    child: undefined!,
  };
  base = {
    listen: `127.0.0.1:${ports.http}`,
    admin: { listen: `127.0.0.1:${ports.admin}` },
    state: "./state",
    colors: { blue: { weight: 1, targets: [`http://127.0.0.1:${model}`] } },
  };
  configure({});
});
afterEach(async () => {
  await endRouter(router);
  await endChildren();
  endWorkers(router);
  removeFolder(router.folder);
});

const configure = (more: Record<string, unknown>) =>
  writeFileSync(router.configPath, stringify({ ...base, ...more }));

/** A listening socket that nobody accepts from, as a supervisor has it; `use` has to start what inherits it. */
async function lend(listenPorts: readonly number[], use: (fds: number[]) => Child): Promise<Child> {
  const servers = listenPorts.map((port) => createServer().listen(port, "127.0.0.1"));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once("listening", resolve))));
  const child = use(servers.map((server) => listeningFd(server)!));
  for (const server of servers) server.close();
  return child;
}

/** Starts the router as a supervisor does that has opened sockets: by exec, because LISTEN_PID has to be right. */
function activated(fds: readonly number[], env: NodeJS.ProcessEnv = {}, pid = "$$"): Child {
  const line = `LISTEN_PID=${pid} exec "$0" "$@"`;
  const args = ["-c", line, process.execPath, SLUICE, "serve", "--config", router.configPath];
  const child = new Child("sh", args, { env: { LISTEN_FDS: String(fds.length), ...env }, fds });
  router = { ...router, child };
  return child;
}

/** On a connection of its own: one that is kept would be tried again at a router that has taken the port over. */
const alone = (url: string) => fetch(url, { headers: { Connection: "close" } });

const ready = (child: Child) => untilAnswers(`${router.admin}/readyz`, child);

function environmentOf(pid: number): string {
  return readFileSync(`/proc/${pid}/environ`, "utf8");
}

describe("sockets of a supervisor", () => {
  for (const workers of [1, 2]) {
    it(`serves on them, and goes on in an upgrade that loses nothing, with workers: ${workers}`, async () => {
      configure({ workers });
      const env = { LISTEN_FDNAMES: "admin:http" };
      await ready(await lend([ports.admin, ports.http], (fds) => activated(fds, env)));
      const load = new Load({ url: router.url, rate: 200 });
      await load.seconds(0.3);
      for (let i = 0; i < 2; i++) {
        const { status, from, to } = await upgrade(router);
        expect(status).toBe(200);
        expect(environmentOf(to.pid)).not.toMatch(/LISTEN_/);
        await until(() => !isAlive(from.pid));
        await load.seconds(0.3);
      }
      for (const { pid } of workersOf(router)) expect(environmentOf(pid)).not.toMatch(/LISTEN_/);
      expect((await load.stop()).lost).toEqual([]);
    });
  }

  it("finds out by the address which is which, and takes one that is alone for the clients'", async () => {
    await ready(await lend([ports.admin, ports.http], (fds) => activated(fds)));
    expect((await alone(router.url)).status).toBe(200);
    await router.child.kill("SIGTERM");
    configure({ listen: "127.0.0.1:0" });
    await ready(await lend([ports.http], (fds) => activated(fds, { LISTEN_FDNAMES: "unknown" })));
    expect((await alone(router.url)).status).toBe(200);
  });

  it("ignores those of another process", async () => {
    const other = await refusedPort();
    await ready(await lend([other], (fds) => activated(fds, {}, "1")));
    expect((await fetch(router.url)).status).toBe(200);
  });

  it("says in one sentence what it cannot use", async () => {
    const says = async (child: Child, sentence: RegExp) => {
      expect(await child.exited()).toBe(1);
      expect(child.output).toMatch(sentence);
      expect(child.output.trim().split("\n")).toHaveLength(1);
    };
    const other = await refusedPort();
    const named = await lend([other], (fds) => activated(fds, { LISTEN_FDNAMES: "http" }));
    await says(
      named,
      /^sluice: listen: the configuration says .*, but the socket .* is 127\.0\.0\.1:\d+; make the two agree/,
    );
    const metrics = await lend([other], (fds) => activated(fds, { LISTEN_FDNAMES: "metrics" }));
    await says(metrics, /metrics\.listen names no address/);
    const file = openSync(router.configPath, "r");
    await says(activated([file]), /descriptor 3, which is no listening TCP socket/);
    await says(
      activated([file], { LISTEN_FDS: "many" }),
      /LISTEN_FDS is "many"; expected the number of sockets/,
    );
    await says(activated([file], {}, "me"), /LISTEN_PID is "me"; expected a process number/);
    await says(
      activated([file], { LISTEN_FDNAMES: "a:b" }),
      /LISTEN_FDNAMES has 2 names, but LISTEN_FDS says 1/,
    );
    await says(activated([], { LISTEN_FDS: "2" }), /descriptor 3, which is no listening TCP socket/);
    const two = [await refusedPort(), await refusedPort()];
    const lost = await lend(two, (fds) => activated(fds));
    await says(lost, /was passed, but no option names it; give it FileDescriptorName=/);
  });
});

describe.skipIf(!installed("python3") || !installed("systemd-notify"))("what a supervisor is told", () => {
  async function receiver(address: string): Promise<Child> {
    const child = new Child("python3", [rootPath("apps/router/test/support/notify-receiver.py"), address]);
    await child.printed(/listening/);
    return child;
  }

  async function begin(env: NodeJS.ProcessEnv): Promise<void> {
    const child = new Child(process.execPath, [SLUICE, "serve", "--config", router.configPath], { env });
    router = { ...router, child };
    await ready(child);
  }

  it("hears of the start, a reload, an upgrade, one that fails, and the end", async () => {
    const address = join(router.folder, "notify");
    const supervisor = await receiver(address);
    await begin({ NOTIFY_SOCKET: address });
    await supervisor.printed(/^READY=1\|STATUS=Serving 127\.0\.0\.1:\d+ with version .*$/m);
    router.child.signal("SIGHUP");
    await supervisor.printed(/^RELOADING=1\|MONOTONIC_USEC=\d+\|STATUS=Reading.*\nREADY=1\|/m);
    configure({ workers: "many" });
    expect((await upgrade(router)).status).toBe(500);
    await supervisor.printed(/^RELOADING=1\|MONOTONIC_USEC=\d+\|STATUS=Upgrading\nREADY=1\|/m);
    configure({});
    const { to } = await upgrade(router);
    await supervisor.printed(new RegExp(`^RELOADING=1.*Upgrading\nMAINPID=${to.pid}\nREADY=1\\|`, "m"));
    expect(await router.child.exited()).toBe(0);
    process.kill(to.pid, "SIGTERM");
    await supervisor.printed(/^STOPPING=1\|/m);
    await until(() => !isAlive(to.pid));
  });

  it("hears on an abstract socket, and again and again where it watches", async () => {
    const address = `@sluice-${process.pid}-${ports.http}`;
    const supervisor = await receiver(address);
    await begin({ NOTIFY_SOCKET: address, WATCHDOG_USEC: "200000" });
    await supervisor.printed(/READY=1[\s\S]*(WATCHDOG=1\n[\s\S]*){3}/);
    const { to } = await upgrade(router);
    await supervisor.printed(new RegExp(`MAINPID=${to.pid}[\\s\\S]*READY=1[\\s\\S]*WATCHDOG=1`));
  });

  it("is no condition: a router starts, is upgraded and ends where nobody listens", async () => {
    await begin({ NOTIFY_SOCKET: join(router.folder, "nobody") });
    await router.child.printed(/systemd-notify could not tell the supervisor/);
    const { status, to } = await upgrade(router);
    expect(status).toBe(200);
    expect(await router.child.exited()).toBe(0);
    process.kill(to.pid, "SIGTERM");
    await until(() => !isAlive(to.pid));
  });
});

it("starts where there is no systemd-notify", async () => {
  const path = join(router.folder, "bin");
  mkdirSync(path);
  symlinkSync(process.execPath, join(path, "node"));
  const env = { NOTIFY_SOCKET: join(router.folder, "nobody"), PATH: path };
  const child = new Child(process.execPath, [SLUICE, "serve", "--config", router.configPath], { env });
  router = { ...router, child };
  await ready(child);
  await child.printed(/systemd-notify could not tell the supervisor/);
});

const NAMESPACE = ["--pid", "--fork", "--mount-proc", "--kill-child"];
const hasNamespaces = spawnSync("unshare", [...NAMESPACE, "true"]).status === 0;

describe.skipIf(!hasNamespaces)("process 1 of a container (skipped where no namespace can be made)", () => {
  it("refuses an upgrade, says what to do instead, and goes on", async () => {
    const args = [...NAMESPACE, process.execPath, SLUICE, "serve", "--config", router.configPath];
    const child = new Child("unshare", args);
    await ready(child);
    const [inside] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")
      .split(" ")
      .map(Number);
    process.kill(inside!, "SIGUSR2");
    const sentence =
      /An upgrade is refused: this router is process 1 of its container.*docker compose up -d router/;
    await child.printed(sentence);
    const asked = new Child(process.execPath, [SLUICE, "upgrade", "--admin", router.admin]);
    expect(await asked.exited()).toBe(1);
    expect(asked.output).toMatch(sentence);
    expect((await fetch(router.url)).status).toBe(200);
    expect((await stateOf(router)).pid).toBe(1);
    process.kill(inside!, "SIGTERM");
    expect(await child.exited()).toBe(0);
  });
});

it("refuses an upgrade where somebody says that a supervisor would start it again", async () => {
  const env = { SLUICE_SUPERVISOR: "supervisord" };
  const child = new Child(process.execPath, [SLUICE, "serve", "--config", router.configPath], { env });
  router = { ...router, child };
  await ready(child);
  expect(await upgrade(router)).toMatchObject({
    status: 409,
    detail: expect.stringContaining("supervisord would start"),
  });
});

it.skipIf(!installed("systemd-analyze"))("comes with units that systemd understands", () => {
  for (const name of ["sluice.service", "sluice.socket"]) {
    const text = readFileSync(rootPath(`deploy/systemd/${name}`), "utf8");
    writeFileSync(join(router.folder, name), text.replace("/usr/bin/node", process.execPath));
  }
  const units = ["sluice.service", "sluice.socket"].map((name) => join(router.folder, name));
  const env = { ...process.env, SYSTEMD_UNIT_PATH: `${router.folder}:` };
  const said = execFileSync("sh", ["-c", 'systemd-analyze verify --man=no "$@" 2>&1', "verify", ...units], {
    env,
  });
  expect(String(said)).not.toMatch(/sluice/);
});
