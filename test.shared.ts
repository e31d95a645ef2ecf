import { spawnSync } from "node:child_process";
import { createServer } from "node:net";

export { seeded } from "./apps/router/src/core/seeded.ts";

/**
 * Whether a program that a test needs can be started; a line says so where it cannot. In CI (`CI=true`) a missing program
 * counts as installed, so that the tests that need it fail rather than being skipped.
 */
export function installed(program: string, ...args: string[]): boolean {
  const found = spawnSync(program, args.length > 0 ? args : ["--version"]).error === undefined;
  if (!found) console.log(`${program} is not installed: tests that need it are skipped, in CI they fail.`);
  return found || process.env.CI === "true";
}

/** Neighbors in a run, whose process numbers are close, start far apart. */
let last = 10_000 + ((process.pid * 97) % 20_000);

/**
 * A port of the loopback interface that nobody listens on. None twice in a process, and none that the system gives to who does not choose
 * (Linux: 32768 to 60999): a port that was free a moment ago would otherwise be somebody's own end of a connection now and then.
 */
export async function unusedPort(): Promise<number> {
  for (;;) {
    last = last < 30_000 ? last + 1 : 10_000;
    // What others ask for meanwhile moves `last` on.
    const port = last;
    if (await isUnused(port)) return port;
  }
}

function isUnused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
