import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** A process and all that it started. */
export function descendants(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).trim().split(/\s+/).filter(Boolean).map(Number);
  return [pid, ...children.flatMap(descendants)];
}

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** Seconds of the processor that these processes have used so far: in nanoseconds where the kernel tells them, otherwise in ticks. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (preciseSeconds(pid) ?? tickSeconds(pid)), 0);
}

/** Of the threads that there are; a Node process keeps those that it has. */
function preciseSeconds(pid: number): number | undefined {
  const threads = names(`/proc/${pid}/task`).map((thread) => read(`/proc/${pid}/task/${thread}/schedstat`));
  if (threads.length === 0 || threads.includes("")) return undefined;
  return threads.reduce((sum, text) => sum + Number(text.split(" ")[0]), 0) / 1e9;
}

function tickSeconds(pid: number): number {
  return cpuTicks(read(`/proc/${pid}/stat`)) / TICKS_PER_SECOND;
}

/** Resident memory of these processes now, in MiB. */
export function residentMiB(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + statusMiB(read(`/proc/${pid}/status`), "VmRSS"), 0);
}

/** The most that each of these processes ever had resident, added up, in MiB. */
export function peakMiB(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + statusMiB(read(`/proc/${pid}/status`), "VmHWM"), 0);
}

/** User and system ticks in `/proc/PID/stat`; 0 where there is no such process. */
export function cpuTicks(stat: string): number {
  // The second field is the program's name in parentheses, and may hold spaces.
  const fields = stat.split(") ").at(-1)!.split(" ");
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** A size in `/proc/PID/status`, in MiB; 0 where there is none. */
export function statusMiB(status: string, name: "VmRSS" | "VmHWM"): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) / 1024;
}

/** Files that a process may open here at most. */
export function mostFiles(): number {
  const most = execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).trim();
  return most === "unlimited" ? Number.POSITIVE_INFINITY : Number(most);
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // the process has ended
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process has ended
  }
}
