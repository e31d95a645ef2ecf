import { posix } from "node:path";
import { type Context, Hono } from "hono";
import { type Asset, type AssetName, asset, assetNames, assetsDir, readAsset } from "./assets.ts";
import { initScript, page } from "./page.ts";

/** Where the page is and what it shows. */
export interface DocsOptions {
  readonly title: string;
  /** The page's path; its files live below it. @default "/docs" */
  readonly path?: string;
  /** Path of the OpenAPI document that the page shows. @default "/openapi.json" */
  readonly openapiPath?: string;
  /** Folder of swagger-ui's files. @default what `assetsDir()` finds */
  readonly assets?: string;
}

/**
 * Nothing from elsewhere, nothing inline. Swagger UI carries its icons as `data:` images, hence the one exception;
 * its style attributes are set through the DOM, which the policy allows.
 */
const POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * The documentation page with all its files, to be mounted at the root: `app.route("/", docsRoutes({ title }))`.
 * Links are relative, so the page also works behind a proxy that strips a prefix.
 */
export function docsRoutes(options: DocsOptions): Hono {
  const { path = "/docs", openapiPath = "/openapi.json", title } = options;
  const base = posix.basename(path);
  const app = new Hono();
  const html = asset("text/html; charset=utf-8", page(title, base));
  const init = asset(
    "text/javascript; charset=utf-8",
    initScript(posix.relative(posix.dirname(path), openapiPath)),
  );
  const load = cached(options.assets ?? assetsDir());
  app.get(path, (c) => send(c, html));
  app.get(`${path}/`, (c) => c.redirect(`../${base}`, 308));
  app.get(`${path}/init.js`, (c) => send(c, init));
  for (const name of assetNames) app.get(`${path}/${name}`, (c) => send(c, load(name)));
  return app;
}

/** Reads each file once, when it is first asked for: most processes never show the page. */
function cached(dir: string): (name: AssetName) => Asset {
  const assets = new Map<AssetName, Asset>();
  return (name) => {
    const found = assets.get(name) ?? readAsset(dir, name);
    assets.set(name, found);
    return found;
  };
}

function send(c: Context, { body, type, etag }: Asset): Response {
  c.header("ETag", etag);
  c.header("Cache-Control", "no-cache");
  c.header("Content-Security-Policy", POLICY);
  c.header("X-Content-Type-Options", "nosniff");
  c.header("Referrer-Policy", "no-referrer");
  if (matches(c.req.header("If-None-Match"), etag)) return c.body(null, 304);
  return c.body(body, 200, { "Content-Type": type });
}

/** RFC 9110 section 13.1.2: `*` or a list of tags, compared weakly (proxies that compress weaken them). */
function matches(header: string | undefined, etag: string): boolean {
  return (
    header?.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag) ?? false
  );
}
