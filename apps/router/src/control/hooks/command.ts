import { type ChildProcess, spawn } from "node:child_process";
import type { CommandHook } from "../../config/config.ts";
import type { Ended } from "../rollout/ports.ts";
import { excerpt, Output } from "./excerpt.ts";
import { type HookFacts, variablesOf } from "./facts.ts";

/** Milliseconds between SIGTERM and SIGKILL. */
const GRACE = 5000;
/** Milliseconds that output is waited for after the end: a process that it left behind may hold the pipe for ever. */
const LAST_WORDS = 500;
/** What a command gets of the router's own environment: no token that may be in it. */
const PASSED_ON = ["PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR"];

/** How a command ended, with the end of what it wrote. */
export interface CommandEnded extends Ended {
  readonly output: string;
}

/**
 * Runs a command without a shell, in a process group of its own. Exit status 0 passes. At the time-out, or when it is given up,
 * the whole group gets SIGTERM, and SIGKILL if it is still there after `grace` milliseconds.
 */
export function runCommand(
  hook: CommandHook,
  facts: HookFacts,
  signal: AbortSignal,
  grace = GRACE,
): Promise<CommandEnded> {
  const { command, timeout } = hook;
  const [program, ...rest] = command as [string, ...string[]];
  const name = program.slice(program.lastIndexOf("/") + 1);
  const output = new Output(Object.values(hook.env));
  const ended = (ok: boolean, how: string): CommandEnded => {
    const { text } = output;
    const words = excerpt(text);
    return { ok, detail: `${name} ${how}${words ? `: ${words}` : ""}`, output: text };
  };
  if (signal.aborted) return Promise.resolve(ended(false, "was not begun"));
  const env = { ...inherited(), ...hook.env, ...variablesOf(facts) };
  const options = { cwd: hook.folder, env, detached: true, shell: false } as const;
  return new Promise((resolve) => {
    const child = spawn(program, rest, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (chunk) => output.add(chunk));
    child.stderr.on("data", (chunk) => output.add(chunk));
    const end = untilEnded(child, { timeout, grace, signal });
    void end.then(([ok, how]) => resolve(ended(ok, how)));
  });
}

function inherited(): Record<string, string | undefined> {
  return Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]]));
}

interface Bounds {
  readonly timeout: number;
  readonly grace: number;
  readonly signal: AbortSignal;
}

/** Resolves once the command has ended, with whether it passed and how, as the end of a sentence. */
function untilEnded(child: ChildProcess, { timeout, grace, signal }: Bounds): Promise<[boolean, string]> {
  let why: string | undefined;
  let killing: NodeJS.Timeout | undefined;
  const stop = (reason: string) => {
    if (why !== undefined) return;
    why = reason;
    signalGroup(child, "SIGTERM");
    killing = setTimeout(() => signalGroup(child, "SIGKILL"), grace);
  };
  const late = setTimeout(() => stop(`did not end within ${timeout / 1000} s and was killed`), timeout);
  const givenUp = () => stop("was given up and killed");
  signal.addEventListener("abort", givenUp, { once: true });
  return new Promise<[boolean, string]>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => resolve([false, `cannot be run (${error.code})`]));
    child.once("exit", (code, by) => {
      const how = why ?? (by === null ? `ended with status ${code}` : `was ended by ${by}`);
      void lastWords(child).then(() => resolve([why === undefined && code === 0, how]));
    });
  }).finally(() => {
    clearTimeout(late);
    clearTimeout(killing);
    signal.removeEventListener("abort", givenUp);
    if (why !== undefined) signalGroup(child, "SIGKILL"); // whoever of the group is still there
  });
}

/** Until both pipes are closed, or nobody is expected to say anything more. */
function lastWords(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve();
    };
    const timer = setTimeout(end, LAST_WORDS);
    child.once("close", end);
  });
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {} // it has ended meanwhile
}
