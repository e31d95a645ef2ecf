import { seeded } from "../core/seeded.ts";

/** Environment variable with a whole number, for tests alone: the draws of a worker are then the same in every run. */
export const TEST_SEED = "SLUICE_TEST_SEED";

/** Where a data plane's draws come from: chance, but for tests that name a seed. */
export function randomSource(worker: number, env: NodeJS.ProcessEnv = process.env): () => number {
  const seed = env[TEST_SEED];
  return seed !== undefined && /^\d{1,9}$/.test(seed) ? seeded(Number(seed) + worker) : Math.random;
}
