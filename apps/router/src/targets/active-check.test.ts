import { describe, expect, it } from "vitest";
import { BLUE, GREEN } from "../../test/support/control-plane.ts";
import { DEFAULTS } from "../../test/support/default-config.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { FakeProbe, passed } from "../../test/support/fake-probe.ts";
import type { HealthConfig } from "../config/config.ts";
import { ActiveChecks, type Checked } from "./active-check.ts";
import type { CheckResult } from "./check-result.ts";

const config: HealthConfig = { ...DEFAULTS.health, path: "/", jitter: 0 };

function checks(changes: Partial<HealthConfig> = {}, random = () => 0.5, probe = new FakeProbe()) {
  const clock = new FakeClock();
  const begun = clock.now();
  const seen: Checked[] = [];
  const active = new ActiveChecks({
    config: { ...config, ...changes },
    clock,
    random,
    probe: probe.probe,
    onChecked: (checked) => seen.push(checked),
  });
  const times = () => seen.map(({ at }) => at - begun);
  const verdicts = () => seen.map(({ state }) => state.verdict);
  return { active, clock, probe, seen, times, verdicts };
}

describe("checks of a target", () => {
  it("begin at once, come fast until there is a verdict, and then at the interval", async () => {
    const { active, clock, times, verdicts } = checks();
    active.sync([BLUE]);
    await clock.advance(5000);
    expect(times()).toEqual([0, 200, 2200, 4200]);
    expect(verdicts()).toEqual(["starting", "up", "up", "up"]);
  });

  it("never stop after a success, and find a target that dies and comes back", async () => {
    const { active, clock, probe, verdicts } = checks();
    active.sync([BLUE]);
    await clock.advance(3_600_000);
    probe.down(BLUE);
    await clock.advance(4000);
    expect(verdicts().at(-1)).toBe("up");
    await clock.advance(2000);
    expect(verdicts().at(-1)).toBe("down");
    probe.up(BLUE);
    await clock.advance(4000);
    expect(verdicts().at(-1)).toBe("up");
  });

  it("are shifted at random by the jitter", async () => {
    const draws = [0.5, 0, 1];
    const { active, clock, times } = checks({ jitter: 0.1, rise: 1 }, () => draws.shift() ?? 0.5);
    active.sync([BLUE]);
    await clock.advance(7000);
    expect(times()).toEqual([0, 2000, 3800, 6000]);
  });

  it("never overlap, and a slow one delays the next by no more than it must", async () => {
    let finish: (result: CheckResult) => void = () => {};
    const calls: number[] = [];
    const clock = new FakeClock();
    const begun = clock.now();
    const active = new ActiveChecks({
      config: { ...config, rise: 1 },
      clock,
      random: () => 0.5,
      probe: () => {
        calls.push(clock.now() - begun);
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
      onChecked: () => {},
    });
    active.sync([BLUE]);
    await clock.advance(5000);
    expect(calls).toEqual([0]);
    finish(passed);
    await clock.advance(0);
    expect(calls).toEqual([0, 5000]);
    await clock.advance(500);
    finish(passed);
    await clock.advance(1499);
    expect(calls).toEqual([0, 5000]);
    await clock.advance(1);
    expect(calls).toEqual([0, 5000, 7000]);
  });

  it("stop when the target is gone, even in the middle of one, and start anew when it is back", async () => {
    const { active, clock, probe, seen, verdicts } = checks();
    active.sync([BLUE, GREEN]);
    active.sync([GREEN]);
    await settle();
    expect(seen.map(({ url }) => url)).toEqual([GREEN]);
    await clock.advance(10_000);
    expect(probe.calls.filter((url) => url === BLUE)).toHaveLength(1);
    active.sync([BLUE]);
    await settle();
    expect(seen.at(-1)!.url).toBe(BLUE);
    expect(verdicts().at(-1)).toBe("starting");
    active.stop();
    expect(clock.timers).toBe(0);
  });

  it("take new settings without a loss of verdicts", async () => {
    const { active, clock, times, verdicts } = checks();
    active.sync([BLUE]);
    await clock.advance(300);
    active.configure({ ...config, interval: 500, rise: 10 });
    await clock.advance(3000);
    expect(times()).toEqual([0, 200, 2200, 2700, 3200]);
    expect(verdicts().at(-1)).toBe("up");
  });

  it("count a check that breaks as failed", async () => {
    const broken = new FakeProbe();
    Object.assign(broken, { probe: () => Promise.reject(new Error("bug")) });
    const other = checks({}, () => 0.5, broken);
    other.active.sync([BLUE]);
    await other.clock.advance(1000);
    expect(other.verdicts().at(-1)).toBe("down");
  });
});
