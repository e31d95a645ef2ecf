import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** Milliseconds before a dead process is started again: doubled each time, until it lived for `STEADY`. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;
const STEADY = 10_000;
const LINES_KEPT = 5;

const GUARD = new URL("./orphan-guard.ts", import.meta.url).href;

export interface Recipe {
  readonly name: string;
  /** Arguments for Node. */
  readonly args: readonly string[];
  readonly logFile: string;
}

/** Where the lines go that a process prints. */
export interface LineSink {
  write(text: string): void;
  end(): void;
}

export interface Death {
  /** `SIGKILL`, or `exit code 1`. */
  readonly how: string;
  readonly lastLines: readonly string[];
  /** Milliseconds until it is started again; undefined: it stays dead. */
  readonly again: number | undefined;
}

export interface Watcher {
  readonly onLine: (name: string, line: string) => void;
  readonly onDeath: (name: string, death: Death) => void;
  readonly onRestart: (name: string, pid: number | undefined) => void;
}

/** One process that is started again when it dies, once `keepAlive` was called. Its output goes to its log file. */
export class Supervised {
  readonly name: string;
  readonly #recipe: Recipe;
  readonly #watcher: Watcher;
  readonly #log: LineSink;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #keep = false;
  #stopping = false;
  #pause = FIRST_PAUSE;
  #lastLines: string[] = [];

  /** @param log instead of a file that begins anew and may grow without a bound */
  constructor(recipe: Recipe, watcher: Watcher, log: LineSink = openLog(recipe.logFile)) {
    this.name = recipe.name;
    this.#recipe = recipe;
    this.#watcher = watcher;
    this.#log = log;
    this.#start();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  keepAlive(): void {
    this.#keep = true;
  }

  /** Ends it gently and waits for the end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#child?.kill("SIGTERM");
    await this.#exited;
    this.#log.end();
  }

  /** Ends it at once. */
  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#child?.kill("SIGKILL");
  }

  #start(): void {
    const begun = performance.now();
    this.#lastLines = [];
    // A process group of its own: Ctrl-C in the terminal reaches only the supervisor, which ends them in order.
    const child = spawn(process.execPath, ["--import", GUARD, ...this.#recipe.args], {
      detached: true,
      env: { ...process.env, SLUICE_SUPERVISOR: "`sluice up`" },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of [child.stdout as Readable, child.stderr as Readable]) {
      createInterface({ input: stream }).on("line", (line) => this.#line(line));
    }
    this.#exited = new Promise((resolve) => {
      child.once("error", (error) => this.#line(error.message));
      child.once("close", (code, signal) => {
        resolve();
        this.#died(signal ?? `exit code ${code}`, performance.now() - begun);
      });
    });
  }

  #line(line: string): void {
    this.#log.write(`${line}\n`);
    this.#lastLines = [...this.#lastLines, line].slice(-LINES_KEPT);
    this.#watcher.onLine(this.name, line);
  }

  #died(how: string, lived: number): void {
    if (this.#stopping) return;
    if (lived >= STEADY) this.#pause = FIRST_PAUSE;
    const again = this.#keep ? this.#pause : undefined;
    this.#watcher.onDeath(this.name, { how, lastLines: this.#lastLines, again });
    if (again === undefined) return;
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    this.#timer = setTimeout(() => {
      this.#start();
      this.#watcher.onRestart(this.name, this.pid);
    }, again);
  }
}

function openLog(path: string): LineSink {
  const log = createWriteStream(path);
  log.on("error", () => {});
  return log;
}
