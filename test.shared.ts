import { spawnSync } from "node:child_process";

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
