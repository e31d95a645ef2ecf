import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { descendants } from "./procfs.ts";

/** A core, or several as `taskset` lists them. */
export type Cores = number | string;

/** Whether a program can be found on PATH. */
export function has(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** All that run now, so that an interrupt can stop them. */
const running = new Set<Pinned>();
let stopping = false;

/** A process pinned to one core or several, stopped by its own id. Its standard input stays open as long as this process lives. */
export class Pinned {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  #printed = "";
  #errors = "";

  constructor(core: Cores, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    if (stopping) throw new Error("nothing is started any more");
    this.child = spawn("taskset", ["-c", String(core), command, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    running.add(this);
    this.ended = once(this.child, "close").then(([code]) => {
      running.delete(this);
      return code as number | null;
    });
    this.child.stdin!.on("error", () => {}); // it ended before it read
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.#printed += text;
    });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
  }

  /** What it printed. */
  get printed(): string {
    return this.#printed;
  }

  /** What it printed and complained about. */
  get output(): string {
    return this.#printed + this.#errors;
  }

  /** The process and those that it started: nginx and HAProxy serve from children. */
  get pids(): number[] {
    return descendants(this.child.pid!);
  }

  /** Resolves once it has printed a line that matches; rejects when it ends before. */
  async printedLine(pattern: RegExp): Promise<RegExpExecArray> {
    const ended = this.ended.then((code) => {
      throw new Error(`${this.child.spawnargs.join(" ")} ended with ${code}:\n${this.output}`);
    });
    for (;;) {
      const found = pattern.exec(this.#printed);
      if (found) {
        ended.catch(() => {});
        return found;
      }
      await Promise.race([once(this.child.stdout!, "data"), ended]);
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGTERM");
    const hard = setTimeout(() => this.child.kill("SIGKILL"), 3000);
    await this.ended;
    clearTimeout(hard);
  }
}

/** Runs a program to its end, or stops it after so many seconds. @returns what it printed */
export async function runPinned(
  core: Cores,
  command: string,
  args: readonly string[],
  seconds: number,
): Promise<string> {
  const pinned = new Pinned(core, command, args);
  const code = await within(seconds, pinned, pinned.ended);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${pinned.output}`);
  return pinned.printed;
}

/** Waits for something that a process is to do, and stops the process when it takes longer. */
export async function within<T>(seconds: number, pinned: Pinned, done: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const reason = `${pinned.child.spawnargs.join(" ")} took more than ${seconds} s`;
      pinned.stop().then(() => reject(new Error(reason)), reject);
    }, seconds * 1000);
  });
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
}

/** Stops all that still run; nothing can be started from now on. */
export async function stopAll(): Promise<void> {
  stopping = true;
  await Promise.all([...running].map((pinned) => pinned.stop()));
}
