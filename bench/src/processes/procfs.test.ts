import { expect, it } from "vitest";
import { cpuSeconds, cpuTicks, descendants, residentMiB, statusMiB } from "./procfs.ts";

it("reads ticks behind a name with spaces and parentheses", () => {
  expect(cpuTicks("42 (a (b) c) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0")).toBe(300);
  expect(cpuTicks("")).toBe(0);
});

it("reads sizes in MiB", () => {
  const status = "Name:\tx\nVmHWM:\t    4096 kB\nVmRSS:\t    2048 kB\n";
  expect(statusMiB(status, "VmHWM")).toBe(4);
  expect(statusMiB(status, "VmRSS")).toBe(2);
  expect(statusMiB("", "VmRSS")).toBe(0);
});

it("reads a living process, and nothing of one that is gone", () => {
  expect(descendants(process.pid)).toContain(process.pid);
  expect(residentMiB([process.pid])).toBeGreaterThan(1);
  expect(cpuSeconds([2 ** 30])).toBe(0);
});
