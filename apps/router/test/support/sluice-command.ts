import { spawn } from "node:child_process";
import { expect, vi } from "vitest";
import { runCommand } from "../../src/cli/run-command.ts";
import { rootPath } from "./child.ts";

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const BIN = rootPath("apps/router/bin/sluice.js");

/** Runs the real command in a process of its own. */
export async function sluice(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { ...without(process.env), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout, stderr };
}

/** Runs the command in the test's own process, without the cost of a start; for verbs that end by themselves, one at a time. */
export async function sluiceHere(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const run = { stdout: "", stderr: "" };
  const before = { ...process.env };
  setEnvironment({ ...without(before), ...env });
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((chunk) => {
      run[name] += chunk;
      return true;
    }),
  );
  try {
    const code = await runCommand(args);
    return { code, ...run };
  } finally {
    for (const spy of spies) spy.mockRestore();
    setEnvironment(before);
  }
}

/** What the caller's shell says to the command is no part of a test. */
function without({ SLUICE_ADMIN: _, SLUICE_ADMIN_TOKEN: __, FORCE_COLOR: ___, ...rest }: NodeJS.ProcessEnv) {
  return rest;
}

/** One variable after the other: Node takes notice of TZ only when it is set. */
function setEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name in process.env) if (env[name] === undefined) delete process.env[name];
  for (const name in env) if (env[name] !== undefined) process.env[name] = env[name];
}

/** One sentence on stderr, nothing on stdout. */
export function expectRefusal(run: Run, code: number, sentence: RegExp | string): void {
  expect(run.stderr).toMatch(/^sluice: .*\n$/);
  if (typeof sentence === "string") expect(run.stderr).toBe(`sluice: ${sentence}\n`);
  else expect(run.stderr).toMatch(sentence);
  expect(run).toMatchObject({ code, stdout: "" });
}
