import { describe, expect, it } from "vitest";
import type { PlaneOptions } from "../../test/support/plane.ts";
import { url } from "../../test/support/requests.ts";
import { Scene, stalls } from "../../test/support/scene.ts";

const color = (weight: number, ...ports: number[]) => ({ weight, targets: ports.map(url) });
const down = (weight: number, port: number) => ({
  weight,
  targets: [{ url: url(port), health: "down" as const }],
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
