import { describe, expect, it } from "vitest";
import { afterCheck, type CheckState, checkDelay, healthOf, UNCHECKED } from "./target-health.ts";

const thresholds = { rise: 2, fall: 3 };
const after = (results: string, from: CheckState = UNCHECKED) =>
  [...results].reduce((state, result) => afterCheck(state, result === "+", thresholds), from);

describe("the verdict of checks", () => {
  it.each([
    ["", "starting"],
    ["+", "starting"],
    ["++", "up"],
    ["+-+", "starting"],
    ["--", "starting"],
    ["---", "down"],
    ["++--", "up"],
    ["++--+--", "up"],
    ["++---", "down"],
    ["++---+", "down"],
    ["++---+-+", "down"],
    ["++---++", "up"],
  ])("after %j is %s (rise 2, fall 3)", (results, verdict) => {
    expect(after(results).verdict).toBe(verdict);
  });

  it("is overruled by an ejection only while it is up", () => {
    expect(healthOf(after("++"), true)).toBe("ejected");
    expect(healthOf(after("++"), false)).toBe("up");
    expect(healthOf(after("++---"), true)).toBe("down");
    expect(healthOf(after("+"), true)).toBe("starting");
  });
});

describe("the time to the next check", () => {
  it("is shifted by up to the jitter both ways", () => {
    expect(checkDelay(after("++"), 2000, 0.1, 0)).toBeCloseTo(1800);
    expect(checkDelay(after("++"), 2000, 0.1, 0.5)).toBeCloseTo(2000);
    expect(checkDelay(after("++"), 2000, 0.1, 1)).toBeCloseTo(2200);
  });

  it("is short while a target starts, and never longer than the interval", () => {
    expect(checkDelay(UNCHECKED, 2000, 0, 0.5)).toBe(200);
    expect(checkDelay(UNCHECKED, 50, 0, 0.5)).toBe(50);
  });
});
