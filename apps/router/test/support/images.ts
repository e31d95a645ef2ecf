import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import { rootPath } from "./child.ts";
import { docker, sweep } from "./docker.ts";

const run = promisify(execFile);

declare module "vitest" {
  interface ProvidedContext {
    /** Begins the names of this run's images: `${prefix}sluice-router:latest`, `${prefix}sluice-api:1.0.0` and `:1.0.1`. */
    imagePrefix: string;
  }
}

/**
 * Vitest's global set-up of the container tests: builds all images once, as `npm run docker:build` does, under names that are
 * this run's own, and removes the names at the end. The layers stay, so that the next run builds in seconds.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await sweep();
  const prefix = `sluice-test-${process.pid}/`;
  const args = [rootPath("scripts/docker/build.ts"), "--prefix", prefix];
  await run(process.execPath, args, { cwd: rootPath(""), maxBuffer: 64 * 1024 * 1024 });
  project.provide("imagePrefix", prefix);
  return async () => {
    const names = (await docker("images", "--format", "{{.Repository}}:{{.Tag}}")).split("\n");
    const own = names.filter((name) => name.startsWith(prefix));
    if (own.length > 0) await docker("rmi", "--no-prune", ...own);
  };
}
