import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "vitest";
import { root } from "./workflows.ts";

/** Trains a version on the sample, into FOLDER/VERSION. */
export function train(folder: string, recipe: "baseline" | "full", version: string): string {
  const out = join(folder, version);
  const csv = join(root, "data", "sample.csv");
  const args = ["--csv", csv, "--recipe", recipe, "--version", version, "--out", out];
  const { status, stderr } = spawnSync(process.execPath, [join(root, "training/src/cli/train.ts"), ...args], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return join(out, "model.json");
}
