import { performance } from "node:perf_hooks";
import type { ProcessFacts } from "../core/report.ts";

/** What this process has used up so far, for the report of its data plane. */
export function processFacts(): ProcessFacts {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    loopSeconds: performance.eventLoopUtilization().active / 1000,
    residentBytes: rss,
    heapBytes: heapUsed,
  };
}
