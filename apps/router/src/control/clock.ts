import type { Clock } from "../core/clock.ts";

/** The machine's time. Its timers never keep a process alive that has nothing else to do. */
export const systemClock: Clock = {
  now: Date.now,
  ticks: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};
