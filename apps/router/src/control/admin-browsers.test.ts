import { beforeAll, describe, expect, it } from "vitest";
import { type Parts, refuses, withFolder } from "../../test/support/refusals.ts";

describe("without a token", () => {
  let parts: Parts;
  beforeAll(async () => {
    parts = await withFolder();
  });
  const flip = (headers: Record<string, string>): [string, string, unknown, Record<string, string>] => [
    "POST",
    "/admin/flip",
    { to: "green" },
    headers,
  ];

  it.each([
    "evil.example",
    "evil.example:9900",
    "10.0.0.1:9900",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "a@localhost",
    "localhost/x",
    "",
  ])("403 for the host %j", async (host) => {
    await refuses(parts, flip({ Host: host }), 403, /only loopback is served/);
  });

  it.each([
    "http://evil.example",
    "null",
    "http://localhost:3000",
    "http://127.0.0.1:9901",
    "https://localhost.evil.example",
  ])("403 for a page from %s", async (origin) => {
    await refuses(parts, flip({ Host: "127.0.0.1:9900", Origin: origin }), 403, /web pages from/);
    await refuses(
      parts,
      ["GET", "/admin/state", undefined, { Host: "127.0.0.1:9900", Origin: origin }],
      403,
      /web pages/,
    );
  });

  it.each([
    "localhost",
    "localhost:9900",
    "127.0.0.1:9900",
    "127.8.8.8",
    "[::1]:9900",
    "LOCALHOST:1",
    "localhost.",
  ])("the host %s is served, and a page of its own", async (host) => {
    expect((await parts.call("GET", "/admin/state", undefined, { Host: host })).status).toBe(200);
    const own = { Host: host, Origin: `http://${host}` };
    expect((await parts.call("GET", "/admin/state", undefined, own)).status).toBe(200);
  });
});
