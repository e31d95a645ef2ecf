#!/usr/bin/env node
// Finds a Node that can run TypeScript by stripping types, then hands over to the command.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const major = Number(process.versions.node.split(".")[0]);
const pinned = at("../../../node_modules/.bin/node");

// What Node makes of the sources is kept for the next start, also of what this one starts: that is half of its cost.
process.env.NODE_COMPILE_CACHE ??= at("../../../node_modules/.cache/sluice");

if (major >= 24) {
  module.enableCompileCache();
  await import("../src/cli/main.ts");
} else if (existsSync(pinned) && process.env.SLUICE_NODE_CHECKED !== "1") {
  const run = spawnSync(pinned, [at("./sluice.js"), ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, SLUICE_NODE_CHECKED: "1" },
  });
  process.exitCode = run.status ?? 1;
} else {
  console.error(`sluice: needs Node 24 or newer, and this is ${process.versions.node}.`);
  process.exitCode = 1;
}
