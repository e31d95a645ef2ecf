import { beforeEach, describe, expect, it } from "vitest";
import { GREEN, testConfig, testPlane } from "../../test/support/control-plane.ts";

type Parts = Awaited<ReturnType<typeof testPlane>>;
let parts: Parts;
beforeEach(async () => {
  parts = await testPlane();
});

describe("a reload", () => {
  it("takes over health settings and tokens without touching weights that were set by hand", async () => {
    await parts.call("POST", "/admin/weights", { blue: 30, green: 70 });
    const tokens = [{ token: "t", scope: "all" as const }];
    const admin = { ...testConfig().admin, tokens };
    await parts.plane.reload(
      testConfig({ admin, health: { ...testConfig().health, interval: 100 }, split: "exact" }),
    );
    expect(parts.plane.store.view.snapshot).toMatchObject({ revision: 2, split: "exact" });
    expect(parts.channel.last.colors[0]!.targets[0]!.health).toBe("up");
    expect((await parts.call("GET", "/admin/state")).status).toBe(401);
    const calls = parts.probe.calls.length;
    await parts.clock.advance(4000);
    expect(parts.probe.calls.length - calls).toBeGreaterThan(30);
  });

  it("lets the file win if its own colors changed", async () => {
    await parts.call("POST", "/admin/weights", { blue: 30, green: 70 });
    const colors = {
      ...testConfig().colors,
      green: { weight: 20, targets: [GREEN, "http://127.0.0.1:8003"] },
    };
    await parts.plane.reload(testConfig({ colors }));
    expect(parts.plane.store.view.routing.weights).toEqual({ blue: 90, green: 20 });
    expect(parts.channel.last.colors[1]!.targets.map(({ health }) => health)).toEqual(["up", "starting"]);
    expect(parts.plane.store.history.at(-1)).toMatchObject({ kind: "reload", who: "configuration file" });
  });

  it("with other colors changes nothing, not even the settings beside them", async () => {
    const before = parts.plane.store.view.snapshot;
    const other = testConfig({ colors: { red: { weight: 1, targets: [] } }, split: "exact" });
    await expect(parts.plane.reload(other)).rejects.toThrow(/restart it for other colors/);
    expect(parts.plane.store.view.snapshot).toEqual(before);
  });
});
