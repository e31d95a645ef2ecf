import { type SpawnOptions, spawn } from "node:child_process";
import { PipelineProblem } from "./github.ts";

export interface Ended {
  /** As a shell would say it: 128 + n for signal n. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How many characters of an output are kept; the rest only passes through. */
const KEPT = 1 << 20;
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Runs a program to its end, shows what it prints as it prints it, and keeps the last of it. A signal that says "stop" goes
 * on to the program, whose end is then waited for: a deploy has something to put right.
 * @throws PipelineProblem if there is no such program.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<Ended> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  const kept = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      process[name].write(text);
      kept[name] = (kept[name] + text).slice(-KEPT);
    });
  }
  const stops = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  const pass = (signal: NodeJS.Signals) => void child.kill(signal);
  for (const signal of stops) process.on(signal, pass);
  try {
    const status = await ended(program, child);
    return { status, ...kept };
  } finally {
    for (const signal of stops) process.off(signal, pass);
  }
}

function ended(program: string, child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", ({ message }) => {
      reject(new PipelineProblem(`${program} could not be started: ${message}.`));
    });
    // "close" comes after the last output, "exit" may come before it.
    child.once("close", (code, signal) => {
      resolve(code ?? 128 + ((signal && SIGNALS[signal as keyof typeof SIGNALS]) || 9));
    });
  });
}
