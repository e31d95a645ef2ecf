import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { describe, expect, it, onTestFinished } from "vitest";
import { copyAssets, docsRoutes } from "../src/index.ts";

const admin = new Hono().route(
  "/",
  docsRoutes({ title: "A <b>router</b>", path: "/admin/docs", openapiPath: "/admin/openapi.json" }),
);

/** Every address that a page loads, resolved as a browser would. */
async function loaded(app: Hono, path: string): Promise<URL[]> {
  const html = await (await app.request(path)).text();
  const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
  return links.map((link) => new URL(link, `http://localhost${path}`));
}

describe("the documentation page", () => {
  it("loads four files, all from its own origin, all there", async () => {
    const links = await loaded(admin, "/admin/docs");
    expect(links.map((url) => url.href).sort()).toEqual([
      "http://localhost/admin/docs/favicon-32x32.png",
      "http://localhost/admin/docs/init.js",
      "http://localhost/admin/docs/swagger-ui-bundle.js",
      "http://localhost/admin/docs/swagger-ui.css",
    ]);
    for (const { pathname } of links) expect((await admin.request(pathname)).status, pathname).toBe(200);
  });

  it("runs no inline script and forbids every other origin", async () => {
    const response = await admin.request("/admin/docs");
    const policy = response.headers.get("Content-Security-Policy");
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toContain("unsafe");
    expect(policy).not.toContain("http");
    expect(await response.text()).not.toMatch(/<script>|<script [^>]*>[^<]|\son\w+=|style=/);
  });

  it("points Swagger UI at the description, relative to the page, and at no validator", async () => {
    const script = await (await admin.request("/admin/docs/init.js")).text();
    const options = JSON.parse(script.slice(script.indexOf("{"), script.lastIndexOf("}") + 1));
    expect(new URL(options.url, "http://localhost/admin/docs").pathname).toBe("/admin/openapi.json");
    expect(options.validatorUrl).toBeNull();
  });

  it("escapes its title", async () => {
    expect(await (await admin.request("/admin/docs")).text()).not.toContain("<b>");
  });

  it("answers on /docs unless told otherwise, and sends /docs/ there", async () => {
    const app = new Hono().route("/", docsRoutes({ title: "API" }));
    expect((await app.request("/docs")).status).toBe(200);
    const redirect = await app.request("/docs/");
    expect(redirect.status).toBe(308);
    const target = new URL(redirect.headers.get("Location")!, "http://localhost/docs/");
    expect(target.pathname).toBe("/docs");
  });
});

describe("its files", () => {
  it.each([
    ["swagger-ui.css", "text/css; charset=utf-8"],
    ["swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
    ["init.js", "text/javascript; charset=utf-8"],
    ["favicon-32x32.png", "image/png"],
  ])("%s is %s and not to be sniffed", async (name, type) => {
    const { headers } = await admin.request(`/admin/docs/${name}`);
    expect(headers.get("Content-Type")).toBe(type);
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
  });

  it.each([(etag: string) => etag, (etag: string) => `"other", W/${etag}`, () => "*"])(
    "answer 304 without a body to a matching If-None-Match (%#)",
    async (condition) => {
      const first = await admin.request("/admin/docs/swagger-ui.css");
      const etag = first.headers.get("ETag")!;
      const again = await admin.request("/admin/docs/swagger-ui.css", {
        headers: { "If-None-Match": condition(etag) },
      });
      expect(again.status).toBe(304);
      expect(again.headers.get("ETag")).toBe(etag);
      expect(await again.text()).toBe("");
    },
  );

  it("answer 200 when the tag is another", async () => {
    const headers = { "If-None-Match": '"stale"' };
    expect((await admin.request("/admin/docs/swagger-ui.css", { headers })).status).toBe(200);
  });

  it("give nothing but what the page loads", async () => {
    for (const name of ["package.json", "index.html", "../package.json", "%2e%2e/package.json"])
      expect((await admin.request(`/admin/docs/${name}`)).status, name).toBe(404);
  });

  it("are copied beside a bundle with their licences, and served from there", async () => {
    const bundle = mkdtempSync(join(tmpdir(), "api-docs-"));
    onTestFinished(() => rmSync(bundle, { recursive: true }));
    copyAssets(bundle);
    const assets = join(bundle, "api-docs");
    expect(readdirSync(assets)).toContain("LICENSE");
    const app = new Hono().route("/", docsRoutes({ title: "API", assets }));
    for (const { pathname } of await loaded(app, "/docs"))
      expect((await app.request(pathname)).status, pathname).toBe(200);
  });
});
