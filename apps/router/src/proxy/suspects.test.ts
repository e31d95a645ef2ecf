import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Colors, type PlaneOptions, type TestPlane, testPlane } from "../../test/support/plane.ts";
import { type RequestSpec, request, send, url } from "../../test/support/requests.ts";
import type { Lease } from "../targets/target.ts";
import type { Exchange } from "./exchange.ts";

const color = (weight: number, ...ports: number[]) => ({ weight, targets: ports.map(url) });
const down = (weight: number, port: number) => ({
  weight,
  targets: [{ url: url(port), health: "down" as const }],
});

interface Waiting {
  readonly exchange: Exchange;
  readonly lease: Lease;
  /** How often the engine was told to go elsewhere. */
  stalls: number;
}

/** A plane whose clock stands still unless it is moved, and whose colors have answered in 5 ms. */
class Scene {
  now = 0;
  readonly test: TestPlane;

  constructor(colors: Colors, options: PlaneOptions = {}, measured = 5) {
    this.test = testPlane(colors, { now: () => this.now, random: () => 0, ...options });
    if (measured > 0) for (const each of this.plane.colors) this.measure(each.index, measured);
  }

  get plane() {
    return this.test.plane;
  }

  measure(index: number, milliseconds: number): void {
    for (let i = 0; i < 20; i++) this.plane.colors[index]!.latency.record(milliseconds, this.now);
  }

  /** A request that has been sent and waits. */
  wait(spec: RequestSpec = {}): Waiting {
    const exchange = this.plane.begin(request(spec));
    const waiting: Waiting = { exchange, lease: exchange.claim()!, stalls: 0 };
    exchange.onStalled = () => waiting.stalls++;
    return waiting;
  }

  waitAll(count: number, spec: RequestSpec = {}): Waiting[] {
    return Array.from({ length: count }, () => this.wait(spec));
  }

  /** Time passes and the sweep comes round. */
  pass(milliseconds: number): void {
    this.now += milliseconds;
    this.plane.sweep();
  }

  /** The port that the next request goes to. */
  next(): number | undefined {
    const exchange = this.plane.begin(request());
    const lease = exchange.claim();
    lease?.release();
    exchange.finish(200, "answered", 0);
    return lease?.target.port;
  }

  suspect(port: number): boolean {
    return this.plane.report().colors.blue!.targets[url(port)]!.suspect;
  }
}

const stalls = (all: readonly Waiting[]) => all.map((each) => each.stalls);

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

describe("what waits at a suspect", () => {
  const scene = (options: PlaneOptions = {}) => new Scene({ blue: color(1, 1), green: color(1, 2) }, options);
  const POST = { method: "POST", path: "/predict" };

  it("moves at once if it may be repeated, and stays otherwise", () => {
    const here = scene();
    const all = [
      ...here.waitAll(3),
      here.wait(POST),
      here.wait({ method: "DELETE" }),
      here.wait({ method: "PATCH" }),
    ];
    here.pass(99);
    expect(stalls(all)).toEqual([0, 0, 0, 0, 0, 0]);
    here.pass(1);
    expect(stalls(all)).toEqual([1, 1, 1, 0, 1, 0]);
  });

  it("moves as POST on a declared path", () => {
    const retry = { ...scene().plane.config.retry, idempotent_paths: ["/predict"] };
    const here = scene({ config: { retry } });
    const all = here.waitAll(5, POST);
    here.pass(100);
    expect(stalls(all)).toEqual([1, 1, 1, 1, 1]);
  });

  it("stays when its body has left the buffer", () => {
    const here = scene();
    const all = here.waitAll(5);
    all[2]!.exchange.bodyKept = false;
    here.pass(100);
    expect(stalls(all)).toEqual([1, 1, 0, 1, 1]);
  });

  it("stays when its answer has begun", () => {
    const here = scene();
    const all = here.waitAll(6);
    all[0]!.exchange.firstByte(all[0]!.lease);
    here.pass(100);
    expect(stalls(all)).toEqual([0, 1, 1, 1, 1, 1]);
  });

  it("stays when there is no elsewhere", () => {
    const only = new Scene({ blue: color(1, 1), green: color(0, 2) });
    const all = only.waitAll(5);
    only.pass(100);
    expect(stalls(all)).toEqual([0, 0, 0, 0, 0]);
  });

  it("stays when elsewhere is suspect, too", () => {
    const here = scene();
    const blue = here.waitAll(5);
    here.now = 100;
    const green = here.waitAll(5);
    here.pass(0);
    expect(stalls(blue)).toEqual([1, 1, 1, 1, 1]);
    here.pass(100);
    expect(stalls(green)).toEqual([0, 0, 0, 0, 0]);
  });

  it("is repeated outside retry.on, retry.attempts and the budget", () => {
    const retry = { ...scene().plane.config.retry, on: [], attempts: 0, budget: 0 };
    const here = scene({ config: { retry } });
    for (let i = 0; i < 100; i++) {
      const all = here.waitAll(5);
      here.pass(100);
      for (const { exchange, lease } of all) {
        exchange.settle(lease, "stalled");
        expect(exchange.retries("stalled")).toBe(true);
        const second = exchange.claim()!;
        expect(second.target.port).toBe(2);
        for (const each of [second, lease]) exchange.firstByte(each);
        exchange.settle(second, "answered");
        for (const each of [second, lease]) each.release();
        exchange.finish(200, "answered", 0);
      }
      here.now += 1;
    }
    expect(here.plane.report().colors.blue).toMatchObject({
      retries: { stalled: 500 },
      failovers: { green: 500 },
    });
    expect(here.plane.retryBudget.spend(here.now)).toBe(true);
  });

  it("blames no target, and is a bad first attempt of its color", () => {
    const here = scene();
    const all = here.waitAll(5);
    here.pass(100);
    for (const { exchange, lease } of all) exchange.settle(lease, "stalled");
    const { blue } = here.plane.report().colors;
    expect(blue!.targets[url(1)]!.errors).toBe(0);
    expect(blue!.evidence).toEqual({ requests: 5, bad: 5 });
  });

  it("still tells the color's latency when it answers late", () => {
    const here = scene();
    const all = here.waitAll(40);
    here.pass(100);
    for (const { exchange, lease } of all) exchange.settle(lease, "stalled");
    here.now = 4000;
    for (const { exchange, lease } of all) exchange.firstByte(lease);
    expect(here.plane.colors[0]!.latency.p95(here.now)).toBeGreaterThan(3999);
  });

  it("counts a late first byte once", () => {
    const here = new Scene({ blue: color(1, 1) }, {}, 0);
    const { exchange, lease } = here.wait();
    for (let i = 0; i < 40; i++) exchange.firstByte(lease);
    expect(here.plane.colors[0]!.latency.p95(here.now)).toBeUndefined();
  });
});

describe("when checks declare a target down", () => {
  const colors = { blue: color(1, 1), green: color(1, 2) };
  const blueDown = { blue: down(1, 1), green: color(1, 2) };

  it("what waits there moves at once, be it one, without any silence", () => {
    const scene = new Scene(colors);
    const all = [scene.wait(), scene.wait({ method: "POST" })];
    scene.test.serve(blueDown);
    expect(stalls(all)).toEqual([1, 0]);
  });

  it("what waits elsewhere stays", () => {
    const scene = new Scene(colors);
    const one = scene.wait();
    scene.test.serve({ blue: color(1, 1), green: down(1, 2) });
    expect(one.stalls).toBe(0);
  });

  it("what waits at a target that sits out, or is gone from the table, stays", () => {
    const scene = new Scene(colors);
    const one = scene.wait();
    scene.test.serve({
      blue: { weight: 1, targets: [{ url: url(1), health: "ejected" }] },
      green: color(1, 2),
    });
    scene.test.serve({ blue: color(1, 3), green: color(1, 2) });
    expect(one.stalls).toBe(0);
  });

  it("what found no elsewhere moves when there is one", () => {
    const scene = new Scene({ blue: color(1, 1), green: down(1, 2) });
    const one = scene.wait();
    scene.test.serve({ blue: down(1, 1), green: down(1, 2) });
    expect(one.stalls).toBe(0);
    scene.test.serve(blueDown);
    expect(one.stalls).toBe(1);
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
