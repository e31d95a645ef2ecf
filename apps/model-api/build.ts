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

/** One file and the documentation's assets beside it: it runs without node_modules. */
rmSync(dist, { recursive: true, force: true });
await build({
  entryPoints: [join(import.meta.dirname, "src/main.ts")],
  outfile: join(dist, "main.js"),
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node24",
  sourcemap: false,
  legalComments: "none",
  banner: { js: banner },
  logLevel: "warning",
});
copyAssets(dist);
