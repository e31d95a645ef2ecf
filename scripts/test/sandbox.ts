import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { root } from "./workflows.ts";

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What the script wrote for GitHub. */
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
  /** Each call of a fake program: its name and its arguments. */
  readonly calls: readonly (readonly string[])[];
}

/** A folder in which npm scripts run as in a checkout, with fake programs first on the PATH; gone after the test. */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), "sluice-ci-"));
  readonly #bin = join(this.folder, "bin");
  readonly #log = join(this.folder, "calls");

  constructor() {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    mkdirSync(this.#bin);
    for (const name of ["package.json", "scripts", "training", "packages", "data"]) {
      symlinkSync(join(root, name), join(this.folder, name));
    }
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  write(name: string, content: string): string {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** A program that notes how it was called and then runs `body`, a POSIX shell script. */
  fake(name: string, body = ""): void {
    const note = `{ printf '%s\\037' ${name} "$@"; printf '\\n'; } >>'${this.#log}'`;
    writeFileSync(join(this.#bin, name), `#!/bin/sh\n${note}\n${body}\n`);
    chmodSync(join(this.#bin, name), 0o755);
  }

  /** Runs a line of a workflow as GitHub does: by a shell, with files for the summary and the outputs. */
  run(line: string, env: Readonly<Record<string, string>> = {}): Ran {
    const options = { cwd: this.folder, env: this.#environment(env), encoding: "utf8" } as const;
    return this.#ran(spawnSync("bash", ["-e", "-c", line], options));
  }

  /** As `run`, for a line that talks with a server of the test's own process. */
  async runAsync(line: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const child = spawn("bash", ["-e", "-c", line], { cwd: this.folder, env: this.#environment(env) });
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    return this.#ran({ status, stdout, stderr });
  }

  get #files() {
    return { GITHUB_STEP_SUMMARY: this.path("summary.md"), GITHUB_OUTPUT: this.path("output") };
  }

  #environment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
    for (const path of [...Object.values(this.#files), this.#log]) rmSync(path, { force: true });
    const PATH = [this.#bin, join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
    return { HOME: this.folder, PATH, ...this.#files, GITHUB_REPOSITORY: "Acme/Sluice", ...env };
  }

  #ran({ status, stdout, stderr }: Pick<Ran, "status" | "stdout" | "stderr">): Ran {
    const read = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : "");
    const lines = (path: string) => read(path).split("\n").filter(Boolean);
    const outputs = lines(this.#files.GITHUB_OUTPUT).map((line) => {
      return [line.split("=")[0]!, line.slice(line.indexOf("=") + 1)];
    });
    return {
      status,
      stdout,
      stderr,
      summary: read(this.#files.GITHUB_STEP_SUMMARY),
      outputs: Object.fromEntries(outputs),
      calls: lines(this.#log).map((line) => line.split("\u001f").slice(0, -1)),
    };
  }
}
