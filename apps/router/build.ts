import { rmSync } from "node:fs";
import { copyAssets } from "@sluice/api-docs";
import { build } from "esbuild";
import { BUNDLE } from "./bundle.ts";

rmSync(BUNDLE.outdir, { recursive: true, force: true });
await build(BUNDLE);
copyAssets(BUNDLE.outdir); // of the API's documentation
