import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
export const rootPath = (path: string): string => `${ROOT}${path}`;

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** A process group of its own, which gets the signals as it would from a terminal. */
  readonly group?: boolean;
  /** Descriptors that it inherits, from 3 on. */
  readonly fds?: readonly number[];
}

/** A real process of a test, with what it printed. */
export class Child {
  readonly process: ChildProcess;
  readonly #group: boolean;
  #output = "";
  #wake: (() => void)[] = [];

  constructor(command: string, args: readonly string[], options: ChildOptions = {}) {
    const env = { ...process.env, NO_COLOR: "1", ...options.env };
    this.#group = options.group ?? false;
    const cwd = options.cwd ?? ROOT;
    this.process = spawn(command, args, {
      env,
      cwd,
      detached: this.#group,
      stdio: ["ignore", "pipe", "pipe", ...(options.fds ?? [])],
    });
    for (const stream of [this.process.stdout!, this.process.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
        this.#notify();
      });
    }
    this.process.once("exit", () => this.#notify());
    children.add(this);
  }

  /** A file of this repository run by the Node that runs the tests. */
  static node(file: string, args: readonly string[] = [], options: ChildOptions = {}): Child {
    return new Child(process.execPath, [rootPath(file), ...args], options);
  }

  /** Standard output and error, as they came. */
  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.process.pid!;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Resolves with the first match in the output; rejects when the process ends without one. */
  async printed(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = this.#output.match(pattern);
      if (match) return match;
      if (!this.running) throw new Error(`the process ended without ${pattern}:\n${this.#output}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  signal(name: NodeJS.Signals): void {
    if (!this.running) return;
    try {
      process.kill(this.#group ? -this.pid : this.pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it has ended, and nobody has heard of it yet
    }
  }

  /** Resolves with the exit code, or null after a signal. */
  async exited(): Promise<number | null> {
    if (this.running) await once(this.process, "exit");
    return this.process.exitCode;
  }

  /** Resolves once all that it printed is in `output`. */
  async closed(): Promise<void> {
    const streams = [this.process.stdout!, this.process.stderr!];
    await Promise.all(streams.map((stream) => (stream.closed ? undefined : once(stream, "close"))));
  }

  async kill(name: NodeJS.Signals = "SIGKILL"): Promise<number | null> {
    this.signal(name);
    return this.exited();
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

const children = new Set<Child>();

/** For `afterEach`: ends every process that the test began, frozen ones too. */
export async function endChildren(): Promise<void> {
  const all = [...children];
  children.clear();
  for (const child of all) {
    child.signal("SIGCONT");
    await child.kill();
  }
}
