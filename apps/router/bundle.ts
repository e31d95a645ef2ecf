import { join } from "node:path";
import type { BuildOptions, Plugin } from "esbuild";

/** What CommonJS packages expect and ES modules lack. */
const banner = [
  'import { createRequire as $createRequire } from "node:module";',
  "const require = $createRequire(import.meta.url);",
  "const [__filename, __dirname] = [import.meta.filename, import.meta.dirname];",
].join("\n");

/** Parts of packages that nothing here calls and the bundler cannot see to be unused, with what stands in their place. */
const LEFT_OUT: readonly { readonly file: RegExp; readonly instead: string }[] = [
  // 40 languages of messages; zod's own default is English
  { file: /\/zod\/v4\/locales\/index\.js$/, instead: 'export { default as en } from "./en.js";' },
  // an older set of functions beside acme-client's own, with all of node-forge
  { file: /\/acme-client\/src\/crypto\/forge\.js$/, instead: "module.exports = undefined;" },
];

const leaveOut: Plugin = {
  name: "leave-out",
  setup({ onLoad }) {
    for (const { file, instead } of LEFT_OUT) onLoad({ filter: file }, () => ({ contents: instead }));
  },
};

/** The command, split where it imports lazily, and the process of a worker. They need no node_modules. */
export const BUNDLE = {
  entryPoints: {
    sluice: join(import.meta.dirname, "src/cli/main.ts"),
    worker: join(import.meta.dirname, "src/workers/entry.ts"),
  },
  outdir: join(import.meta.dirname, "dist"),
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  sourcemap: false,
  legalComments: "none",
  banner: { js: banner },
  plugins: [leaveOut],
  logLevel: "warning",
} satisfies BuildOptions;
