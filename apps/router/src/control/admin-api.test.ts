import { beforeEach, describe, expect, it } from "vitest";
import { testPlane } from "../../test/support/control-plane.ts";

type Parts = Awaited<ReturnType<typeof testPlane>>;
let parts: Parts;
beforeEach(async () => {
  parts = await testPlane();
});

describe("every GET", () => {
  it("answers HEAD with the same headers and no body", async () => {
    for (const path of [
      "/admin/state",
      "/admin/history",
      "/admin/openapi.json",
      "/admin/docs",
      "/metrics",
      "/healthz",
      "/readyz",
      "/admin/events",
    ]) {
      const answer = await parts.call("HEAD", path);
      expect(answer, path).toMatchObject({ status: 200, body: "" });
    }
    expect(parts.clock.timers).toBeLessThan(5);
  });
});

describe("the description", () => {
  it("names every call, with its refusals, and is served with its page", async () => {
    const { body } = await parts.call("GET", "/admin/openapi.json");
    expect(Object.keys(body.paths).sort()).toEqual([
      "/admin/colors/{color}/targets",
      "/admin/events",
      "/admin/feedback",
      "/admin/flip",
      "/admin/history",
      "/admin/maintenance",
      "/admin/pause",
      "/admin/resume",
      "/admin/rollback",
      "/admin/rollouts",
      "/admin/rollouts/{id}",
      "/admin/rollouts/{id}/abort",
      "/admin/rollouts/{id}/pause",
      "/admin/rollouts/{id}/promote",
      "/admin/rollouts/{id}/resume",
      "/admin/shadow",
      "/admin/shadow/worst",
      "/admin/state",
      "/admin/undo",
      "/admin/upgrade",
      "/admin/weights",
      "/feedback",
      "/healthz",
      "/metrics",
      "/readyz",
    ]);
    expect(Object.keys(body.paths["/admin/weights"].post.responses)).toEqual([
      "200",
      "400",
      "401",
      "403",
      "409",
      "412",
      "413",
      "415",
      "503",
      "507",
    ]);
    const page = await parts.call("GET", "/admin/docs");
    expect(page.body).toContain("Sluice admin API");
    expect(page.body).not.toMatch(/https?:\/\//);
  });
});

describe("the metrics' own port", () => {
  it("has metrics and health, without a token, and nothing else; the admin port then has no metrics", async () => {
    const admin = {
      listen: { host: "127.0.0.1", port: 9900 },
      tokens: [{ token: "t", scope: "all" as const }],
    };
    const own = await testPlane({ admin, metrics: { listen: { host: "0.0.0.0", port: 9901 } } });
    const status = async (path: string, init = {}) =>
      (await own.plane.metricsApp!.request(path, init)).status;
    expect(await status("/metrics")).toBe(200);
    expect(await status("/healthz")).toBe(200);
    expect(await status("/readyz")).toBe(200);
    expect(await status("/admin/state")).toBe(404);
    expect(await status("/admin/rollback", { method: "POST" })).toBe(404);
    expect(await status("/metrics", { method: "POST" })).toBe(405);
    expect((await own.call("GET", "/metrics", undefined, { Authorization: "Bearer t" })).status).toBe(404);
    expect(parts.plane.metricsApp).toBeUndefined();
  });
});
