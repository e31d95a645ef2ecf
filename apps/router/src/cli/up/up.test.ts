import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sluice } from "../../../test/support/sluice-command.ts";
import { loadConfig } from "../../config/load.ts";
import { compactLine } from "./lines.ts";
import { makePlan } from "./plan.ts";
import { freePort } from "./ports.ts";
import { type Death, Supervised } from "./supervised.ts";

const NOW = new Date(2026, 10, 21, 20, 15, 4);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-up-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("log lines on the terminal", () => {
  test("are short, with what matters of the fields", () => {
    const line = JSON.stringify({
      level: "warn",
      time: "x",
      msg: "target down",
      target: "http://a:1",
      color: "green",
    });
    expect(compactLine("router", line, NOW)).toBe("20:15:04 router warn target down target=http://a:1");
    const numeric = JSON.stringify({
      level: 50,
      pid: 1,
      hostname: "h",
      msg: "broke",
      err: { message: "why" },
    });
    expect(compactLine("blue", numeric, NOW)).toBe("20:15:04 blue   error broke why");
  });

  test("show a request in a few words", () => {
    const line = {
      level: "info",
      msg: "request",
      method: "POST",
      path: "/p",
      status: 502,
      color: "green",
      outcome: "reset",
      attempts: 2,
      bytes: 3,
    };
    expect(compactLine("router", JSON.stringify(line), NOW)).toBe(
      "20:15:04 router request POST /p 502 green reset after 2 attempts",
    );
  });

  test("tell a change of weights in shares, and nothing twice", () => {
    const change = {
      level: "info",
      msg: "Change 2: flip by ops",
      revision: 2,
      kind: "flip",
      who: "ops",
      why: "1.0.1",
      epoch: 5,
      from: { blue: 9, green: 1 },
      to: { blue: 0, green: 1 },
    };
    expect(compactLine("router", JSON.stringify(change), NOW)).toBe(
      "20:15:04 router Change 2: flip by ops blue 90 %, green 10 % → blue 0 %, green 100 % why=1.0.1",
    );
  });

  test("leave out what is less important, and show what is no JSON as it stands", () => {
    expect(compactLine("blue", '{"level":30,"msg":"listening"}', NOW, "warn")).toBeUndefined();
    expect(compactLine("blue", " ", NOW)).toBeUndefined();
    expect(compactLine("blue", "Error: x", NOW)).toBe("20:15:04 blue   Error: x");
  });
});

test("a copy with other ports means what the file means: its relative paths, too", async () => {
  const own = join(folder, "own");
  mkdirSync(own);
  const path = join(own, "sluice.yaml");
  writeFileSync(join(own, "token"), "t0ken");
  writeFileSync(
    path,
    `
admin: { token_file: token }
colors:
  blue: { weight: 1, targets: ["http://127.0.0.1:1"] }
  green: { weight: 1, targets: ["http://127.0.0.1:2"] }
upstream_tls: { ca: ca.pem, cert: tls/cert.pem, key: tls/key.pem }
tls: { certificates: [{ cert: cert.pem, key: key.pem }] }
gates: { request: request.json, schema: ./schema.json }
hooks: { smoke: { command: ["./smoke.sh"] } }
`,
  );
  const moved = { config: path, var: join(folder, "var"), port: 0, adminPort: 0, bluePort: 0, greenPort: 0 };
  const plan = await makePlan(moved);
  const config = loadConfig(plan.configPath, {}, plan.relativeTo);
  const asItStands = loadConfig(path, {});
  expect(config).toEqual({
    ...asItStands,
    listen: plan.listen,
    admin: { ...asItStands.admin, listen: plan.admin },
    state: join(folder, "var/sluice"),
    colors: {
      blue: { weight: 1, targets: [`http://127.0.0.1:${plan.models[0]!.address.port}`] },
      green: { weight: 1, targets: [`http://127.0.0.1:${plan.models[1]!.address.port}`] },
    },
  });
  expect(config.hooks.smoke).toMatchObject({ command: [join(own, "smoke.sh")], folder: own });
});

describe("ports", () => {
  test("a taken port is said with who wanted it; 0 finds a free one", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const wanter = { name: "model API green", option: "--green-port" };
    await expect(freePort({ host: "127.0.0.1", port }, wanter)).rejects.toThrow(
      `port ${port} is in use, and model API green wanted it. Stop what listens there, or choose another with --green-port.`,
    );
    const run = await sluice(["up", "--port", String(port), "--var", folder]);
    expect(run).toEqual({
      code: 1,
      stdout: "",
      stderr: `sluice: port ${port} is in use, and the router wanted it. Stop what listens there, or choose another with --port.\n`,
    });
    server.close();
    expect(await freePort({ host: "127.0.0.1", port: 0 }, wanter)).toBeGreaterThan(0);
  });

  test("that the system chooses are none twice, though nothing listens there yet", async () => {
    const wanter = { name: "the router", option: "--port" };
    const ports = new Set<number>();
    for (let i = 0; i < 1_000; i++) ports.add(await freePort({ host: "127.0.0.1", port: 0 }, wanter));
    expect(ports.size).toBe(1_000);
  });
});

describe("a supervised process", () => {
  function watch(script: string) {
    const deaths: Death[] = [];
    const restarts: (number | undefined)[] = [];
    const events = { line: (_: string) => {}, death: (_: Death) => {}, restart: () => {} };
    const child = new Supervised(
      { name: "x", args: ["-e", script], logFile: join(folder, "x.log") },
      {
        onLine: (_, line) => events.line(line),
        onDeath: (_, death) => {
          deaths.push(death);
          events.death(death);
        },
        onRestart: (_, pid) => {
          restarts.push(pid);
          events.restart();
        },
      },
    );
    return { child, deaths, restarts, events };
  }

  test("that dies while everything is starting stays dead, and its last lines are told", async () => {
    const { child, deaths, events } = watch("console.log('one'); console.error('two'); process.exit(3)");
    await new Promise<void>((resolve) => {
      events.death = () => resolve();
    });
    expect(deaths).toMatchObject([{ how: "exit code 3", again: undefined }]);
    expect(deaths[0]?.lastLines.toSorted()).toEqual(["one", "two"]);
    await child.stop();
    expect(readFileSync(join(folder, "x.log"), "utf8").split("\n").toSorted()).toEqual(["", "one", "two"]);
  });

  test("that is killed later is started again, and ends for good when it is stopped", async () => {
    const { child, deaths, events, restarts } = watch("console.log('up'); setInterval(() => {}, 1000)");
    child.keepAlive();
    const first = child.pid;
    await new Promise<void>((resolve) => {
      events.restart = () => resolve();
      events.line = () => process.kill(first as number, "SIGKILL");
    });
    expect(deaths).toMatchObject([{ how: "SIGKILL", again: 500 }]);
    expect(restarts).toEqual([child.pid]);
    expect(child.pid).not.toBe(first);
    await child.stop();
    expect(deaths).toHaveLength(1);
    expect(() => process.kill(child.pid as number, 0)).toThrow();
  });
});
