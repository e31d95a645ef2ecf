import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { CONTEXT, command, hooks } from "../../../test/support/hooks.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { runCommand } from "./command.ts";
import { factsOf } from "./facts.ts";

describe("a command", () => {
  it("gets the facts as variables, its own, and nothing else of the router's", async () => {
    vi.stubEnv("SLUICE_ADMIN_TOKEN", "hunter2");
    const folder = temporaryFolder();
    const script = `require("node:fs").writeFileSync("env.json", JSON.stringify(process.env)); console.log(process.cwd())`;
    const { run } = hooks({ smoke: command(script, { env: { MODE: "full", SLUICE_SHARE: "99" }, folder }) });
    expect(await run("smoke")).toEqual({ ok: true, detail: `node ended with status 0: ${folder}` });
    vi.unstubAllEnvs();
    const env = JSON.parse(readFileSync(join(folder, "env.json"), "utf8"));
    expect(env).toMatchObject({
      MODE: "full",
      PATH: process.env.PATH,
      SLUICE_HOOK: "smoke",
      SLUICE_MOMENT: "before_promotion",
      SLUICE_IDEMPOTENCY_KEY: "r-1:before_promotion",
      SLUICE_ROLLOUT: "r-1",
      SLUICE_PHASE: "promoting",
      SLUICE_SHARE: "50",
      SLUICE_EXPECT: "better",
      SLUICE_BY: "ana",
      SLUICE_REASON: "a better model",
      SLUICE_CANDIDATE: "green",
      SLUICE_CANDIDATE_VERSION: "1.0.1",
      SLUICE_CANDIDATE_DIGEST: "sha256:b",
      SLUICE_CANDIDATE_TARGETS: "http://127.0.0.1:8002 http://127.0.0.1:8012",
      SLUICE_STABLE: "blue",
    });
    expect(env.SLUICE_ADMIN_TOKEN).toBeUndefined();
  });

  it("has no shell: arguments are what they are", async () => {
    const script = "console.log(process.argv.slice(1).join('|'))";
    const hook = command(script);
    const { detail } = await hooks({
      a: { ...hook, command: [...hook.command, "--", "$HOME; true", "*"] },
    }).run("a");
    expect(detail).toBe("node ended with status 0: $HOME; true|*");
  });

  it("fails by another status or a signal, with the end of what it wrote, without secrets", async () => {
    const script = `console.log("x".repeat(1e5)); console.error("the token " + process.env.T + " is wrong"); process.exitCode = 3`;
    const { run, log } = hooks({
      smoke: command(script, { env: { T: "hunter2" } }),
      dies: command("process.kill(process.pid, 'SIGSEGV')"),
    });
    const { ok, detail } = await run("smoke");
    expect([ok, detail]).toEqual([
      false,
      expect.stringMatching(/^node ended with status 3: …x+ the token \*\*\* is wrong$/),
    ]);
    expect(detail.length).toBeLessThan(400);
    const lines = JSON.stringify(log.lines);
    expect(lines.length).toBeLessThan(12_000);
    expect(lines).not.toContain("hunter2");
    expect(await run("dies")).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/^node was ended by SIGSEGV/),
    });
  });

  it.each([
    [["/nowhere/smoke.sh"], "smoke.sh cannot be run (ENOENT)"],
    [["/"], " cannot be run (EACCES)"],
  ])("fails in a sentence when it cannot be run: %j", async (words, detail) => {
    expect(await hooks({ a: { ...command(""), command: words } }).run("a")).toEqual({ ok: false, detail });
  });

  /** Writes its process number and that of a child of its own, both deaf to SIGTERM where asked. */
  const family = (deaf: boolean) => `
    const deaf = ${deaf ? "process.on('SIGTERM', () => {})" : "0"};
    const { spawn } = require("node:child_process");
    const child = spawn(process.execPath, ["-e", ${JSON.stringify(
      `${deaf ? "process.on('SIGTERM', () => {});" : ""} setInterval(() => {}, 1000); console.log("up")`,
    )}], { stdio: ["ignore", "pipe", "inherit"] });
    child.stdout.once("data", () => require("node:fs").writeFileSync("pids", process.pid + " " + child.pid));
    setInterval(() => {}, 1000);`;
  const alive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  const pids = (folder: string) =>
    vi.waitFor(() => {
      const found = readFileSync(join(folder, "pids"), "utf8").split(" ").map(Number);
      expect(found).toHaveLength(2);
      return found;
    }, 15_000);

  it.each([
    ["at once by SIGTERM", false],
    ["by SIGKILL where it is deaf to SIGTERM", true],
  ])("is killed with its children when it is given up: %s", async (_, deaf) => {
    const folder = temporaryFolder();
    const giving = new AbortController();
    const facts = factsOf("a", "before_rollout", CONTEXT);
    const running = runCommand(command(family(deaf), { folder }), facts, giving.signal, deaf ? 100 : 60_000);
    const both = await pids(folder);
    expect(both.every(alive)).toBe(true);
    giving.abort();
    expect(await running).toMatchObject({ ok: false, detail: "node was given up and killed" });
    await vi.waitFor(() => expect(both.some(alive)).toBe(false), 15_000);
  });

  it("is killed with its children at the time-out", async () => {
    const folder = temporaryFolder();
    const { run } = hooks({ a: command(family(false), { folder, timeout: 1500 }) });
    const running = run("a");
    const both = await pids(folder).catch(() => []);
    expect(await running).toEqual({ ok: false, detail: "node did not end within 1.5 s and was killed" });
    await vi.waitFor(() => expect(both.some(alive)).toBe(false), 15_000);
  });

  it("has not passed when it ends well because it was told to end", async () => {
    const script = `process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000); console.log("up")`;
    const giving = new AbortController();
    const folder = temporaryFolder();
    const hook = command(`${script}; require("node:fs").writeFileSync("begun", "")`, { folder });
    const running = runCommand(hook, factsOf("a", "before_rollout", CONTEXT), giving.signal);
    await vi.waitFor(() => readFileSync(join(folder, "begun")), 15_000);
    giving.abort();
    expect(await running).toMatchObject({ ok: false, detail: "node was given up and killed: up" });
  });

  it("leaves no child behind that is deaf to SIGTERM, though it ends at once itself", async () => {
    const folder = temporaryFolder();
    const giving = new AbortController();
    const script = family(true).replace("process.on('SIGTERM', () => {})", "0"); // the child's stays
    const running = runCommand(
      command(script, { folder }),
      factsOf("a", "before_rollout", CONTEXT),
      giving.signal,
    );
    const both = await pids(folder);
    giving.abort();
    expect(await running).toMatchObject({ ok: false });
    await vi.waitFor(() => expect(both.some(alive)).toBe(false), 15_000);
  });

  it("is not begun when it was given up before", async () => {
    const folder = temporaryFolder();
    const hook = command(`require("node:fs").writeFileSync("begun", "")`, { folder });
    expect(await hooks({ a: hook }).run("a", AbortSignal.abort())).toMatchObject({
      detail: "node was not begun",
    });
    expect(() => readFileSync(join(folder, "begun"))).toThrow();
  });

  it("has ended when it has, though what it left behind holds its output open", async () => {
    const folder = temporaryFolder();
    const script = `
      const { spawn } = require("node:child_process");
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
      require("node:fs").writeFileSync("pid", String(child.pid));
      child.unref();
      console.log("done"); process.exit(0);`;
    expect(await hooks({ a: command(script, { folder }) }).run("a")).toEqual({
      ok: true,
      detail: "node ended with status 0: done",
    });
    process.kill(Number(readFileSync(join(folder, "pid"), "utf8")));
  });
});

it("runs a script file by its path", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "smoke.sh");
  writeFileSync(path, '#!/bin/sh\necho "$SLUICE_CANDIDATE $1"\n', { mode: 0o700 });
  expect(await hooks({ a: { ...command(""), command: [path, "x"] } }).run("a")).toEqual({
    ok: true,
    detail: "smoke.sh ended with status 0: green x",
  });
});
