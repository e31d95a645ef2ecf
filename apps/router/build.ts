import { rmSync } from "node:fs";
import { join } from "node:path";
import { copyAssets } from "@sluice/api-docs";
import { build } from "esbuild";

const dist = join(import.meta.dirname, "dist");

/** What CommonJS packages expect and ES modules lack. */
const banner = [
  'import { createRequire as $createRequire } from "node:module";',
  "const require = $createRequire(import.meta.url);",
  "const [__filename, __dirname] = [import.meta.filename, import.meta.dirname];",
].join("\n");

/** The command, split where it imports lazily, and the process of a worker, with the documentation's assets beside it: it needs no node_modules. */
rmSync(dist, { recursive: true, force: true });
await build({
  entryPoints: {
    sluice: join(import.meta.dirname, "src/cli/main.ts"),
    worker: join(import.meta.dirname, "src/workers/entry.ts"),
  },
  outdir: dist,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  sourcemap: false,
  legalComments: "none",
  banner: { js: banner },
  logLevel: "warning",
});
copyAssets(dist);
