import { spawn } from "node:child_process";
import { CliError } from "../../errors.ts";

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds. @default 2 minutes */
  readonly timeout?: number;
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const LONGEST_OUTPUT = 1024 * 1024;

/**
 * Runs a program without a shell, in a process group of its own: a Ctrl-C in the terminal must reach the deploy alone, which
 * then decides what to end.
 * @throws CliError there is no such program, or it took too long; or what `signal` was aborted with
 */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Ran> {
  const { signal, timeout = 120_000, env = process.env, cwd } = options;
  const late = AbortSignal.timeout(timeout);
  signal?.throwIfAborted();
  const child = spawn(program, args, {
    env,
    ...(cwd === undefined ? {} : { cwd }),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    signal: signal ? AbortSignal.any([signal, late]) : late,
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] = (output[name] + text).slice(-LONGEST_OUTPUT);
    });
  }
  const [code, error] = await new Promise<[number | null, NodeJS.ErrnoException | undefined]>((resolve) => {
    let problem: NodeJS.ErrnoException | undefined;
    child.once("error", (reason) => {
      problem = reason;
      if (child.pid === undefined) resolve([null, reason]); // never began, so never closes
    });
    child.once("close", (exit) => resolve([exit, problem]));
  });
  signal?.throwIfAborted();
  const line = [program, ...args].join(" ");
  if (late.aborted) throw new CliError(`\`${line}\` did not end within ${timeout / 1000} s.`);
  if (error) throw new CliError(`\`${program}\` cannot be run (${error.code ?? error.message}).`);
  return { code, ...output };
}

/** As `run`. @throws CliError also when it fails, with what it said last */
export async function succeed(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code === 0) return stdout.trim();
  throw new CliError(
    `\`${[program, ...args].join(" ")}\` failed (exit code ${code}): ${lastLine(stderr || stdout)}.`,
  );
}

export const lastLine = (text: string): string =>
  (text.trimEnd().split("\n").at(-1) ?? "").trim().replace(/\.$/, "") || "it did not say why";
