import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Program } from "./messages.ts";

/** Where a worker finds the listening socket that it was started with; below are the standard streams and Node's IPC. */
export const LISTENING_FD = 4;

/** Milliseconds that a worker may take to come up to where it can be talked to. */
const BOOT = 10_000;

/** This router's own worker: from the sources, or from the bundle beside the command's. */
export function ownProgram(): Program {
  const sources = import.meta.filename.endsWith(".ts");
  return { node: process.execPath, entry: join(import.meta.dirname, sources ? "entry.ts" : "worker.js") };
}

export interface SpawnOptions {
  readonly program: Program;
  readonly worker: number;
  /** Of the workers' sockets. */
  readonly folder: string;
  /** The listening socket, which the worker inherits; the caller may close its own at once. */
  readonly fd: number;
}

/** Starts a worker; resolves with its process number once it can be talked to. Everything up to the start is synchronous. */
export function spawnWorker({ program, worker, folder, fd }: SpawnOptions): Promise<number> {
  const child = spawn(program.node, [program.entry, String(worker), folder], {
    stdio: ["ignore", "inherit", "inherit", "ipc", fd],
  });
  return untilReady(child);
}

function untilReady(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`it was not up within ${BOOT} ms`));
    }, BOOT);
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`it ended with ${signal ?? code} while it started`));
    });
    child.once("message", () => {
      clearTimeout(timer);
      child.unref();
      if (child.connected) child.disconnect();
      resolve(child.pid!);
    });
  });
}
