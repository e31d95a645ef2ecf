import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { mockArtifact } from "@sluice/model";
import { afterAll } from "vitest";

const MAIN = join(import.meta.dirname, "../../src/main.ts");

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A file with the mock model, which goes with the tests of the file that asks for it. */
export function modelFile(text = JSON.stringify(mockArtifact("1.2.3"))): string {
  const folder = mkdtempSync(join(tmpdir(), "model-api-"));
  folders.push(folder);
  const path = join(folder, "model.json");
  writeFileSync(path, text);
  return path;
}

/** How a server process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  readonly stdout: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  readonly url: string;
  /** Resolves at a log line with this message. */
  logged(message: string): Promise<void>;
  ended: Promise<Ended>;
}

/** Runs the server to its end; for starts that must fail. */
export function runToEnd(
  args: readonly string[],
  env: Record<string, string> = {},
  main = MAIN,
): Promise<Ended> {
  return ending(start(args, env, main));
}

/** Starts a server on a free port and waits until it listens. Stop it by its child. */
export async function startServer(
  args: readonly string[],
  env: Record<string, string> = {},
  main = MAIN,
): Promise<Running> {
  const child = start(["--port", "0", ...args], env, main);
  const ended = ending(child);
  const logged = watchLog(child);
  const line = await Promise.race([
    logged("listening"),
    ended.then(({ stderr }) => Promise.reject(new Error(stderr))),
  ]);
  const port = Number(line.port);
  return {
    child,
    port,
    url: `http://127.0.0.1:${port}`,
    ended,
    logged: async (message) => void (await logged(message)),
  };
}

function start(args: readonly string[], env: Record<string, string>, main: string): ChildProcess {
  const { PATH = "" } = process.env;
  return spawn(process.execPath, [main, ...args], {
    env: { PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function ending(child: ChildProcess): Promise<Ended> {
  const output = { stdout: "", stderr: "" };
  child.stdout!.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr!.on("data", (chunk) => {
    output.stderr += chunk;
  });
  const [code, signal] = await once(child, "close");
  return { code, signal, ...output };
}

function watchLog(child: ChildProcess) {
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout! }).on("line", (line) => {
    lines.push(JSON.parse(line));
    for (const check of waiting) check();
  });
  return (message: string) =>
    new Promise<Record<string, unknown>>((resolve) => {
      const check = () => {
        const line = lines.find(({ msg }) => msg === message);
        if (!line) return;
        waiting.delete(check);
        resolve(line);
      };
      waiting.add(check);
      check();
    });
}
