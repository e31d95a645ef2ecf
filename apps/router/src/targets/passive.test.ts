import { describe, expect, it } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import type { Report } from "../core/report.ts";
import { EMPTY_COLOR } from "../core/report-sums.ts";
import { PassiveEjection } from "./passive.ts";

const config = { errors: 5, window: 10_000, ejection: 30_000, max_ejected: 0.5 };

function report(errors: Readonly<Record<string, number>>, worker = 0): Report {
  const targets = Object.fromEntries(
    Object.entries(errors).map(([url, count]) => [
      url,
      { inFlight: 0, suspect: false, passes: 0, errors: count },
    ]),
  );
  return { worker, epoch: 1, connections: 0, colors: { blue: { ...EMPTY_COLOR, targets } } };
}

function passive(urls: readonly string[], changes: Partial<typeof config> = {}) {
  const clock = new FakeClock();
  const news: string[] = [];
  const ejection = new PassiveEjection({
    config: { ...config, ...changes },
    clock,
    onEjection: (url, ejected) => news.push(`${ejected ? "out" : "in"} ${url}`),
  });
  ejection.sync(urls);
  const tell = (errors: Readonly<Record<string, number>>, worker = 0) =>
    ejection.onReport(report(errors, worker));
  return { clock, news, ejection, tell };
}

describe("passive ejection", () => {
  it("makes a target sit out with its fifth error within the window, and lets it back in time", async () => {
    const { clock, news, tell } = passive(["a", "b"]);
    tell({ a: 4 });
    expect(news).toEqual([]);
    tell({ a: 5 });
    expect(news).toEqual(["out a"]);
    await clock.advance(29_999);
    expect(news).toEqual(["out a"]);
    await clock.advance(1);
    expect(news).toEqual(["out a", "in a"]);
  });

  it("forgets errors that are older than the window", async () => {
    const { clock, news, tell } = passive(["a"]);
    tell({ a: 4 });
    await clock.advance(10_000);
    tell({ a: 8 });
    expect(news).toEqual([]);
    tell({ a: 9 });
    expect(news).toEqual(["out a"]);
  });

  it("holds nothing against a target that happened under an earlier control plane", () => {
    const { news, ejection, tell } = passive(["a"]);
    ejection.onReport({ ...report({ a: 40 }), inherited: true });
    tell({ a: 44 });
    expect(news).toEqual([]);
    tell({ a: 45 });
    expect(news).toEqual(["out a"]);
  });

  it("reads counters as sums: a report that comes twice or after a restart counts once", () => {
    const { news, tell } = passive(["a"]);
    tell({ a: 4 });
    tell({ a: 4 });
    tell({ a: 0 });
    expect(news).toEqual([]);
    tell({ a: 1 });
    expect(news).toEqual(["out a"]);
  });

  it("adds up what several workers saw", () => {
    const { news, tell } = passive(["a"]);
    tell({ a: 3 }, 0);
    tell({ a: 2 }, 1);
    expect(news).toEqual(["out a"]);
  });

  it("never has more than its share out at once, but always one", () => {
    const five = passive(["a", "b", "c", "d", "e"]);
    five.tell({ a: 9, b: 9, c: 9 });
    expect(five.news).toEqual(["out a", "out b"]);
    const none = passive(["a", "b"], { max_ejected: 0 });
    none.tell({ a: 9, b: 9 });
    expect(none.news).toEqual(["out a"]);
  });

  it("counts nothing against a target while it sits out, so it comes back clean", async () => {
    const { clock, news, tell } = passive(["a", "b"]);
    tell({ a: 5 });
    tell({ a: 100 });
    await clock.advance(30_000);
    tell({ a: 104 });
    expect(news).toEqual(["out a", "in a"]);
    tell({ a: 105 });
    expect(news.at(-1)).toBe("out a");
  });

  it("forgets a target that is removed, and never calls it back", async () => {
    const { clock, news, tell, ejection } = passive(["a", "b"]);
    tell({ a: 5 });
    ejection.sync(["b"]);
    tell({ a: 50, b: 5 });
    expect(news).toEqual(["out a", "out b"]);
    ejection.stop();
    await clock.advance(60_000);
    expect(news).toEqual(["out a", "out b"]);
    expect(clock.timers).toBe(0);
  });
});
