import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { sluice } from "../../../test/support/sluice-command.ts";
import type { State } from "../admin-types.ts";

const ROOT = fileURLToPath(new URL("../../../../../", import.meta.url));
const FREE_PORTS = ["--port", "0", "--admin-port", "0", "--blue-port", "0", "--green-port", "0"];

interface Demo {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly router: string;
  readonly admin: string;
  /** Resolves with the first match in what was printed, now or later. */
  seen(pattern: RegExp): Promise<RegExpExecArray>;
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** `sluice up` on free ports, ready. */
async function up(command: string, args: readonly string[]): Promise<Demo> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-up-"));
  const child = spawn(command, [...args, ...FREE_PORTS, "--var", folder], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let changed = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
      changed();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  cleanups.push(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const seen = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      changed = () => {
        const match = pattern.exec(output);
        if (match) resolve(match);
      };
      void ended.then(() => reject(new Error(`it ended and printed: ${output}`)));
      changed();
    });
  await seen(/Ctrl-C stops everything\.\n/);
  const [, router = ""] = await seen(/router +(http:\S+)/);
  const [, admin = ""] = await seen(/admin +(http:\S+)/);
  return { process: child, ended, router, admin, seen };
}

const startDemo = (...args: string[]) =>
  up(process.execPath, [join(ROOT, "apps/router/bin/sluice.js"), "up", ...args]);

/** True when nothing listens there any more. */
async function refuses(url: string): Promise<boolean> {
  const error = await fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    () => undefined,
    ({ cause }: Error & { cause?: NodeJS.ErrnoException }) => cause?.code,
  );
  return error === "ECONNREFUSED";
}

test("up serves two models at 90/10, survives a kill of green without losing a request, and stops cleanly", async () => {
  const demo = await startDemo();
  const state = JSON.parse((await sluice(["status", "--json", "--admin", demo.admin])).stdout) as State;
  expect(state.colors.map(({ name, share }) => [name, share])).toEqual([
    ["blue", 0.9],
    ["green", 0.1],
  ]);
  expect(await demo.seen(/blue .* 90 % of requests, model 1\.0\.0, sha256:/)).toBeTruthy();

  expect(await sluice(["weights", "blue=1", "green=1", "--wait", "--admin", demo.admin])).toMatchObject({
    code: 0,
  });
  const [, green = "", pid] = await demo.seen(/green +(http:\S+) .* model 1\.0\.1, .* pid (\d+)/);
  process.kill(Number(pid), "SIGKILL");
  expect(await sluice(["predict", "-n", "100", "--url", demo.router])).toMatchObject({ code: 0, stderr: "" });
  await demo.seen(/green +died \(SIGKILL\); starting it again in 0\.5 s/);
  await demo.seen(/green +runs again, pid \d+/);

  demo.process.kill("SIGINT");
  expect(await demo.ended).toBe(0);
  for (const url of [demo.router, demo.admin, green]) expect(await refuses(url)).toBe(true);
});

test("a second Ctrl-C ends at once what does not end by itself", async () => {
  const demo = await startDemo();
  const [, blue = "", pid] = await demo.seen(/blue +(http:\S+) .* pid (\d+)/);
  process.kill(Number(pid), "SIGSTOP");
  demo.process.kill("SIGINT");
  await demo.seen(/Stopping …/);
  demo.process.kill("SIGINT");
  expect(await demo.ended).toBe(130);
  await expect.poll(() => refuses(blue)).toBe(true);
});

test("npm start starts it, and SIGTERM to npm ends everything", async () => {
  const demo = await up("npm", ["start", "--"]);
  expect(await sluice(["health", "--admin", demo.admin])).toMatchObject({ code: 0 });
  demo.process.kill("SIGTERM");
  await expect.poll(() => refuses(demo.admin), { timeout: 20_000 }).toBe(true);
});

test("when the supervisor itself is killed, its processes end by themselves", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-own-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const own = readFileSync(join(ROOT, "sluice.yaml"), "utf8");
  writeFileSync(join(folder, "sluice.yaml"), own.replace("admin: {", "admin: { token_file: token, "));
  writeFileSync(join(folder, "token"), "t0ken"); // found beside the file, though the router gets a copy with other ports
  const demo = await startDemo("-c", join(folder, "sluice.yaml"));
  const ask = (token: string) => sluice(["status", "--admin", demo.admin, "--token", token]);
  expect([(await ask("t0ken")).code, (await ask("other")).code]).toEqual([0, 1]);
  const [, blue = ""] = await demo.seen(/blue +(http:\S+)/);
  demo.process.kill("SIGKILL");
  for (const url of [demo.admin, blue]) await expect.poll(() => refuses(url), { timeout: 20_000 }).toBe(true);
});
