import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listWorkers, type WorkerName } from "../../src/workers/folder.ts";
import type { RunningRouter } from "./running-router.ts";

/** The workers that say that they are there. */
export function workersOf({ folder }: Pick<RunningRouter, "folder">): WorkerName[] {
  return listWorkers(join(folder, "state", "workers"));
}

/** False for a process that has ended, also where nobody has asked yet how. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Ends the workers of routers that were killed. */
export function endWorkers(router: Pick<RunningRouter, "folder">): void {
  for (const { pid } of workersOf(router)) if (isAlive(pid)) process.kill(pid, "SIGKILL");
}

/** Asks again and again until the answer is true; a test's own time-out ends the wait. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** The counters on /metrics, by series, but for those of a single worker, which go with it. */
export async function counters(router: Pick<RunningRouter, "admin">): Promise<Map<string, number>> {
  const text = await (await fetch(`${router.admin}/metrics`)).text();
  const series = text
    .split("\n")
    .filter((line) => /^sluice_(?!worker_)\w+_(total|count|sum|bucket)\b/.test(line));
  return new Map(series.map((line) => [line.replace(/ [^ ]*$/, ""), Number(line.split(" ").at(-1))]));
}

/** The series that went down from one scrape to a later one. */
export function backwards(before: Map<string, number>, after: Map<string, number>): string[] {
  return [...before].flatMap(([name, count]) => {
    const now = after.get(name);
    return now !== undefined && now >= count ? [] : [`${name}: ${count} → ${now}`];
  });
}
