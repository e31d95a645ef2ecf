import { spawnSync } from "node:child_process";

/**
 * Whether a program that a test needs can be started; a line says so where it cannot. In CI (`CI=true`) a missing program
 * counts as installed, so that the tests that need it fail rather than being skipped.
 */
export function installed(program: string, ...args: string[]): boolean {
  const found = spawnSync(program, args.length > 0 ? args : ["--version"]).error === undefined;
  if (!found) console.log(`${program} is not installed: tests that need it are skipped, in CI they fail.`);
  return found || process.env.CI === "true";
}

/** Uniform in [0, 1), the same sequence for the same seed on every machine (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
