import { beforeAll, describe, expect, it } from "vitest";
import { type Parts, refuses, withFolder } from "../../test/support/refusals.ts";
import type { AdminToken } from "../config/config.ts";

describe("with tokens", () => {
  const tokens: AdminToken[] = [
    { token: "root-token", scope: "all" },
    { token: "op-token", scope: "operate" },
    { token: "read-token", scope: "read" },
    { token: "fb-token", scope: "feedback" },
  ];
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  let parts: Parts;
  beforeAll(async () => {
    parts = await withFolder(tokens);
  });
  const paths: [string, string][] = [
    ["GET", "/admin/state"],
    ["GET", "/admin/history"],
    ["GET", "/admin/events"],
    ["POST", "/admin/shadow"],
    ["DELETE", "/admin/shadow"],
    ["GET", "/admin/shadow/worst"],
    ["GET", "/admin/openapi.json"],
    ["GET", "/admin/docs"],
    ["GET", "/metrics"],
    ["POST", "/admin/weights"],
    ["POST", "/admin/flip"],
    ["POST", "/admin/rollback"],
    ["POST", "/admin/undo"],
    ["PUT", "/admin/colors/green/targets"],
    ["GET", "/nothing"],
    ["DELETE", "/admin/state"],
  ];

  it.each(paths)("401 for %s %s without one, with a challenge", async (method, path) => {
    const answer = await refuses(parts, [method, path], 401, /A token is needed/);
    expect(answer.headers.get("WWW-Authenticate")).toBe('Bearer realm="sluice"');
  });

  it.each([
    "Bearer wrong",
    "Bearer root-toke",
    "Bearer root-tokenx",
    "Basic cm9vdA==",
    "Bearer",
    "root-token",
  ])("401 for %j", async (value) => {
    const answer = await refuses(
      parts,
      ["POST", "/admin/rollback", undefined, { Authorization: value }],
      401,
      /token/,
    );
    expect(answer.headers.get("WWW-Authenticate")).toMatch(/^Bearer realm="sluice"/);
  });

  it("403 for what the scope does not reach", async () => {
    const read = paths.filter(([method, path]) => method === "GET" && path !== "/nothing");
    const operate = paths.filter(
      ([method, path]) => method !== "GET" && method !== "DELETE" && path !== "/nothing",
    );
    for (const [method, path] of operate) {
      const answer = await refuses(
        parts,
        [method, path, {}, bearer("read-token")],
        403,
        /scope is "read"; this needs "operate"/,
      );
      expect(answer.headers.get("WWW-Authenticate")).toContain('error="insufficient_scope"');
    }
    for (const [method, path] of [...read, ...operate])
      await refuses(
        parts,
        [method, path, method === "GET" ? undefined : {}, bearer("fb-token")],
        403,
        /scope is "feedback"/,
      );
  });

  it("200 for what it does, from any host, since no page knows the token", async () => {
    const foreign = { Host: "router.example", Origin: "https://console.example" };
    for (const token of ["root-token", "op-token", "read-token"])
      expect(
        (await parts.call("GET", "/admin/state", undefined, { ...bearer(token), ...foreign })).status,
      ).toBe(200);
    for (const token of ["root-token", "op-token"])
      expect((await parts.call("POST", "/admin/rollback", undefined, bearer(token))).status).toBe(200);
    expect(
      (await parts.call("GET", "/admin/state", undefined, { Authorization: "bearer root-token" })).status,
    ).toBe(200);
  });

  it("200 without one for health", async () => {
    for (const path of ["/healthz", "/readyz"]) expect((await parts.call("GET", path)).status).toBe(200);
  });
});
