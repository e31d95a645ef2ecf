import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What the page loads of swagger-ui-dist. The licences must travel with the code. */
const PAGE_FILES = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "favicon-32x32.png": "image/png",
} as const;
const LICENCES = ["LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"];

/** The folder that a bundle expects beside itself. */
const BESIDE_BUNDLE = "api-docs";

export type AssetName = keyof typeof PAGE_FILES;
export const assetNames = Object.keys(PAGE_FILES) as AssetName[];

/** One file ready to be served. */
export interface Asset {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly type: string;
  /** A strong entity tag (RFC 9110 section 8.8.3), quotes included. */
  readonly etag: string;
}

/**
 * The folder with the page's files: `api-docs` beside the running bundle, else the installed swagger-ui-dist.
 * Throws when neither is there, so that a badly built image fails at its start and not at the first visitor.
 */
export function assetsDir(): string {
  const beside = join(import.meta.dirname, BESIDE_BUNDLE);
  return existsSync(join(beside, "swagger-ui.css")) ? beside : installed();
}

/** Copies the page's files and their licences into `api-docs` in a bundle's folder. For build scripts. */
export function copyAssets(bundleDir: string): void {
  const to = join(bundleDir, BESIDE_BUNDLE);
  mkdirSync(to, { recursive: true });
  for (const name of [...assetNames, ...LICENCES]) cpSync(join(installed(), name), join(to, name));
}

/** Makes an asset of text or bytes. */
export function asset(type: string, content: string | Uint8Array): Asset {
  const body = typeof content === "string" ? new TextEncoder().encode(content) : new Uint8Array(content);
  return { body, type, etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"` };
}

/** Reads one of the page's files. */
export function readAsset(dir: string, name: AssetName): Asset {
  return asset(PAGE_FILES[name], readFileSync(join(dir, name)));
}

function installed(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  } catch {
    throw new Error(
      `the API documentation's files are missing: expected a folder ${BESIDE_BUNDLE} beside the bundle`,
    );
  }
}
