import { join } from "node:path";
import { defineConfig, type ViteUserConfig } from "vitest/config";

/**
 * One vitest configuration for every workspace. A file's name says which task runs it:
 * `*.smoke.test.ts` (mock model, nothing trained), `*.int.test.ts` (real processes, after train and build),
 * `*.container.test.ts` (a real Docker engine; `test/support/images.ts` builds what they share), every other `*.test.ts` is a unit test and may use real sockets.
 */
export function sluiceTests(workspace: string): ViteUserConfig {
  const kind = process.env.SLUICE_TESTS ?? "unit";
  const reports = process.env.SLUICE_REPORTS;
  const include = {
    smoke: ["**/*.smoke.test.ts"],
    unit: ["**/*.test.ts"],
    integration: ["**/*.int.test.ts"],
    containers: ["**/*.container.test.ts"],
  }[kind];
  if (!include) throw new Error(`SLUICE_TESTS is "${kind}": expected smoke, unit, integration or containers`);
  const others = ["**/*.smoke.test.ts", "**/*.int.test.ts", "**/*.container.test.ts"];
  return defineConfig({
    test: {
      name: `${workspace} ${kind}`,
      include,
      exclude: ["**/node_modules/**", "**/dist/**", ...(kind === "unit" ? others : [])],
      testTimeout: { integration: 120_000, containers: 180_000 }[kind] ?? 20_000,
      hookTimeout: kind === "containers" ? 300_000 : 60_000,
      fileParallelism: kind !== "integration" && kind !== "containers",
      ...(kind === "containers" ? { globalSetup: "test/support/images.ts" } : {}),
      passWithNoTests: true,
      reporters: reports ? ["default", "json"] : ["default"],
      ...(reports ? { outputFile: { json: join(reports, `${workspace}-${kind}.json`) } } : {}),
    },
  });
}
