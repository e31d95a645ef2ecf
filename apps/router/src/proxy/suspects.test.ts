import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PlaneOptions } from "../../test/support/plane.ts";
import { send, url } from "../../test/support/requests.ts";
import { Scene, stalls } from "../../test/support/scene.ts";

const color = (weight: number, ...ports: number[]) => ({ weight, targets: ports.map(url) });
const down = (weight: number, port: number) => ({
  weight,
  targets: [{ url: url(port), health: "down" as const }],
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a target", () => {
  it("is suspect when five wait and it has been silent for 100 ms", () => {
    const scene = new Scene({ blue: color(1, 1) });
    scene.waitAll(5);
    scene.now = 99;
    expect(scene.suspect(1)).toBe(false);
    scene.now = 100;
    expect(scene.suspect(1)).toBe(true);
  });

  it("is not suspect for less than five", () => {
    const scene = new Scene({ blue: color(1, 1) });
    scene.waitAll(4);
    scene.now = 1e6;
    expect(scene.suspect(1)).toBe(false);
  });

  it("may be silent for ten times its color's p95 where that is longer", () => {
    const scene = new Scene({ blue: color(1, 1) }, {}, 50);
    scene.waitAll(5);
    scene.now = 499;
    expect(scene.suspect(1)).toBe(false);
    scene.now = 600; // p95 is known within 19 %
    expect(scene.suspect(1)).toBe(true);
  });

  it("may be silent for a second where its color was never measured", () => {
    const scene = new Scene({ blue: color(1, 1), green: color(1, 2) }, {}, 0);
    scene.measure(1, 5);
    scene.waitAll(5);
    scene.now = 999;
    expect(scene.suspect(1)).toBe(false);
    scene.now = 1000;
    expect(scene.suspect(1)).toBe(true);
  });

  it("is never suspect where no color was ever measured", () => {
    const scene = new Scene({ blue: color(1, 1), green: color(1, 2) }, {}, 0);
    scene.waitAll(5);
    scene.now = 1e9;
    expect(scene.suspect(1)).toBe(false);
  });

  it("does not wait while it streams answers that have begun", () => {
    const scene = new Scene({ blue: color(1, 1) });
    for (const { exchange, lease } of scene.waitAll(50)) exchange.firstByte(lease);
    scene.waitAll(4);
    scene.now = 1e6;
    expect(scene.suspect(1)).toBe(false);
  });

  it("is not silent while bytes of other answers come from it", () => {
    const scene = new Scene({ blue: color(1, 1) });
    const [streaming] = scene.waitAll(6);
    streaming!.exchange.firstByte(streaming!.lease);
    scene.now = 90;
    streaming!.exchange.heard(streaming!.lease);
    scene.now = 189;
    expect(scene.suspect(1)).toBe(false);
    scene.now = 190;
    expect(scene.suspect(1)).toBe(true);
  });

  it("was not silent before anyone waited", () => {
    const scene = new Scene({ blue: color(1, 1) });
    send(scene.plane);
    scene.now = 60_000;
    scene.waitAll(5);
    scene.now = 60_099;
    expect(scene.suspect(1)).toBe(false);
  });
});

describe("a suspect", () => {
  const suspected = (options: PlaneOptions = {}) => {
    const scene = new Scene(
      { blue: color(1, 1), green: color(0, 2) },
      { snapshot: { standby: "green" }, ...options },
    );
    const waiting = scene.waitAll(5);
    scene.pass(100);
    return { scene, waiting };
  };

  it("gets no new picks", () => {
    const { scene } = suspected();
    expect(scene.next()).toBe(2);
  });

  it("gets none where its color has another target", () => {
    const scene = new Scene({ blue: color(1, 1, 2) }, { random: () => 0.99 });
    const at1 = scene.waitAll(20).filter(({ lease }) => lease.target.port === 1);
    expect(at1.length).toBeGreaterThanOrEqual(5);
    for (const { exchange, lease } of scene.waitAll(20))
      if (lease.target.port === 2) exchange.firstByte(lease);
    scene.now = 50;
    for (const each of scene.waitAll(8))
      if (each.lease.target.port === 2) each.exchange.firstByte(each.lease);
    scene.now = 100;
    expect(scene.suspect(1)).toBe(true);
    expect(scene.next()).toBe(2);
  });

  it("is cleared by its first byte, that of a stalled attempt too", () => {
    const { scene, waiting } = suspected();
    const [one] = waiting;
    one!.exchange.settle(one!.lease, "stalled");
    scene.now = 5000;
    one!.exchange.firstByte(one!.lease);
    expect(scene.suspect(1)).toBe(false);
    expect(scene.next()).toBe(1);
  });

  it("is used when nothing else is left", () => {
    const { scene } = suspected();
    scene.test.serve({ blue: color(1, 1), green: down(0, 2) }, { standby: "green" });
    expect(scene.next()).toBe(1);
  });

  it("is used when everything is suspect", () => {
    const scene = new Scene({ blue: color(1, 1), green: color(1, 2) });
    scene.waitAll(5);
    scene.now = 100;
    expect(scene.waitAll(5).map(({ lease }) => lease.target.port)).toEqual([2, 2, 2, 2, 2]);
    scene.now = 200;
    expect(scene.next()).toBe(1);
  });

  it("is used where failover is off", () => {
    const { scene } = suspected({ config: { failover: false } });
    expect(scene.next()).toBe(1);
  });
});

describe("the sweep", () => {
  const colors = { blue: color(1, 1), green: color(1, 2) };

  it("runs only while five wait somewhere", () => {
    const scene = new Scene(colors);
    const all = scene.waitAll(4);
    expect(vi.getTimerCount()).toBe(0);
    all.push(scene.wait());
    expect(vi.getTimerCount()).toBe(1);
    all.push(...scene.waitAll(20));
    expect(vi.getTimerCount()).toBe(1);
    for (const { exchange, lease } of all.slice(4)) exchange.firstByte(lease);
    vi.advanceTimersByTime(20);
    expect(vi.getTimerCount()).toBe(0);
    scene.wait();
    expect(vi.getTimerCount()).toBe(1);
  });

  it("finds a silent target within 20 ms by itself", () => {
    const scene = new Scene(colors);
    const all = scene.waitAll(5);
    for (let step = 0; step < 6; step++) {
      scene.now += 20;
      vi.advanceTimersByTime(20);
    }
    expect(stalls(all).every((each) => each >= 1)).toBe(true);
  });

  it("ends when the target is gone from the table", () => {
    const scene = new Scene(colors);
    scene.waitAll(5);
    scene.test.serve({ blue: color(1, 3), green: color(1, 2) });
    vi.advanceTimersByTime(20);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps no process alive", () => {
    vi.useRealTimers();
    const set = vi.spyOn(globalThis, "setInterval");
    const scene = new Scene(colors);
    const all = scene.waitAll(5);
    const timer = set.mock.results[0]!.value as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(false);
    set.mockRestore();
    for (const { lease } of all) lease.release();
    scene.plane.sweep();
  });
});
