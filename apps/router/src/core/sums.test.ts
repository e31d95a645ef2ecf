import { describe, expect, it } from "vitest";
import { growth, mayBeEjected, totalErrors, within } from "./passive.ts";
import { quantile } from "./quantile.ts";
import type { ColorReport, Report } from "./report.ts";
import { addSums, beganAnew, EMPTY_COLOR, settled } from "./report-sums.ts";

const color = (counts: Partial<ColorReport>): ColorReport => ({ ...EMPTY_COLOR, ...counts });
const report = (counts: Partial<ColorReport>): Report => ({
  worker: 0,
  epoch: 1,
  colors: { blue: color(counts) },
  connections: 0,
});

describe("sums of reports", () => {
  it("add what workers counted, key by key", () => {
    const target = { inFlight: 1, suspect: false, passes: 2, errors: 3 };
    const a = color({ inFlight: 1, assigned: 5, requests: { "GET 200": 4 }, targets: { u: target } });
    const b = color({
      assigned: 2,
      requests: { "GET 200": 1, "GET 500": 1 },
      targets: { u: { ...target, suspect: true } },
    });
    const { blue } = addSums([{ blue: a }, { blue: b }]);
    expect(blue).toMatchObject({ inFlight: 1, assigned: 7, requests: { "GET 200": 5, "GET 500": 1 } });
    expect(blue!.targets.u).toEqual({ inFlight: 2, suspect: true, passes: 4, errors: 6 });
  });

  it("of a worker that is gone keep its counts and nothing in flight", () => {
    const { blue } = settled({ blue: color({ inFlight: 3, assigned: 5 }) });
    expect(blue).toMatchObject({ inFlight: 0, assigned: 5 });
  });

  it("tell a worker that began anew by counters that went down", () => {
    expect(beganAnew(report({ assigned: 5 }), report({ assigned: 6 }))).toBe(false);
    expect(beganAnew(report({ assigned: 5 }), report({ assigned: 1 }))).toBe(true);
    expect(beganAnew(report({ assigned: 5 }), { ...report({}), colors: {} })).toBe(true);
  });
});

describe("a quantile", () => {
  it("is interpolated within its bucket, as Prometheus does", () => {
    expect(quantile(0.5, [1, 2, 4], [0, 10, 0, 0])).toBe(1.5);
    expect(quantile(0.9, [1, 2, 4], [5, 0, 5, 0])).toBeCloseTo(3.6);
  });

  it("above the highest bound is that bound, and nothing when nothing was counted", () => {
    expect(quantile(0.99, [1, 2], [0, 0, 7])).toBe(2);
    expect(quantile(0.99, [1, 2], [0, 0, 0])).toBeUndefined();
  });
});

describe("errors for passive ejection", () => {
  it("count within the window only", () => {
    const counts = [
      { at: 0, errors: 4 },
      { at: 9_999, errors: 1 },
    ];
    expect(totalErrors(within(counts, 10_000, 10_000))).toBe(1);
    expect(totalErrors(within(counts, 9_999, 10_000))).toBe(5);
  });

  it("grow by the difference, and by all of a counter that began anew", () => {
    expect([growth(undefined, 3), growth(3, 5), growth(5, 2)]).toEqual([3, 2, 2]);
  });

  it("may eject a share of all targets, rounded down, but always one", () => {
    expect([mayBeEjected(1, 0.5), mayBeEjected(5, 0.5), mayBeEjected(4, 0), mayBeEjected(4, 1)]).toEqual([
      1, 2, 1, 4,
    ]);
  });
});
