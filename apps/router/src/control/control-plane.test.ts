import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BLUE, GREEN, testConfig } from "../../test/support/control-plane.ts";
import { FakeChannel } from "../../test/support/fake-channel.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { FakeLog } from "../../test/support/fake-log.ts";
import { FakeProbe } from "../../test/support/fake-probe.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { createControlPlane } from "./control-plane.ts";

async function fresh(state: string | undefined = undefined) {
  const [clock, channel, log, probe] = [new FakeClock(), new FakeChannel(), new FakeLog(), new FakeProbe()];
  const options = {
    config: testConfig({ state }),
    channel,
    log,
    clock,
    version: "0.1.0",
    probe: probe.probe,
  };
  return { plane: await createControlPlane(options), clock, channel, log, probe, options };
}

describe("a control plane", () => {
  it("publishes and checks nothing before it is started", async () => {
    const { plane, channel, probe } = await fresh();
    await settle();
    expect([channel.published.length, probe.calls.length]).toEqual([0, 0]);
    await plane.start();
    expect(channel.published.map(({ epoch, revision }) => ({ epoch, revision }))).toEqual([
      { epoch: 2, revision: 1 },
    ]);
    expect(probe.calls).toEqual([BLUE, GREEN]);
  });

  it("says when every target has its first verdict, good or bad, or that time is up", async () => {
    const { plane, clock, probe } = await fresh();
    probe.down(GREEN);
    await plane.start();
    const verdicts: (boolean | string)[] = [];
    void plane.firstVerdicts(300).then((settled) => verdicts.push(settled, "after 300"));
    void plane.firstVerdicts(10_000).then((settled) => verdicts.push(settled, "in the end"));
    await clock.advance(399);
    expect(verdicts).toEqual([false, "after 300"]);
    await clock.advance(1);
    expect(verdicts).toEqual([false, "after 300", true, "in the end"]);
    expect(await plane.firstVerdicts(0)).toBe(true);
  });

  it("leaves no timer and no lock behind when it is stopped", async () => {
    const folder = temporaryFolder();
    const { plane, clock, options } = await fresh(folder);
    await plane.start();
    await clock.advance(5000);
    await expect(createControlPlane(options)).rejects.toThrow(/in use by another router/);
    await plane.stop();
    expect(clock.timers).toBe(0);
    await (await createControlPlane(options)).stop();
  });

  it("gives the folder back when it cannot begin", async () => {
    const folder = temporaryFolder();
    const { plane, options } = await fresh(folder);
    await plane.start();
    await plane.stop();
    const broken = new Proxy(options.config, {
      get: (config, key) => (key === "split" ? fail() : Reflect.get(config, key)),
    });
    await expect(createControlPlane({ ...options, config: broken })).rejects.toThrow("no split");
    await (await createControlPlane(options)).stop();
  });

  it("keeps nothing with `state: memory`", async () => {
    const { plane, log } = await fresh();
    await plane.start();
    await plane.store.apply({ kind: "flip", to: "green", force: true }, { who: "ann" });
    await plane.stop();
    expect(log.text).toContain("No saved state");
    expect(existsSync(join(process.cwd(), "state.json"))).toBe(false);
  });
});

function fail(): never {
  throw new Error("no split");
}
