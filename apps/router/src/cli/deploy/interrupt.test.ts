import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { interruptOnSignals } from "./interrupt.ts";

const NAMES = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
let before: NodeJS.SignalsListener[][];

beforeEach(() => {
  before = NAMES.map((name) => process.listeners(name) as NodeJS.SignalsListener[]);
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  NAMES.forEach((name, i) => {
    for (const listener of process.listeners(name) as NodeJS.SignalsListener[])
      if (!before[i]!.includes(listener)) process.off(name, listener);
  });
});

test("one press of the keys may come twice; only a later one ends the process at once", () => {
  const exit = vi.spyOn(process, "exit").mockImplementation((() => {}) as never);
  const signal = interruptOnSignals();
  expect(signal.aborted).toBe(false);
  process.emit("SIGHUP");
  expect(signal.reason).toMatchObject({ message: "it was interrupted by SIGHUP" });
  vi.advanceTimersByTime(400);
  process.emit("SIGHUP");
  expect(exit).not.toHaveBeenCalled();
  vi.advanceTimersByTime(200);
  process.emit("SIGHUP");
  expect(exit).toHaveBeenCalledExactlyOnceWith(129);
});
