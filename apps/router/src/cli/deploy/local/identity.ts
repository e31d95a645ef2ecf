import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process that is meant, even after its number was given to another one. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in whatever form the system tells; with the boot's id where there is one. */
  readonly began: string;
}

/** Undefined when there is no such process, or only its remains. */
export function identify(pid: number): ProcessIdentity | undefined {
  const began = process.platform === "linux" ? beganOnLinux(pid) : beganElsewhere(pid);
  return began === undefined ? undefined : { pid, began };
}

/** True while exactly this process lives. */
export const isAlive = ({ pid, began }: ProcessIdentity): boolean => identify(pid)?.began === began;

/** Sends a signal to exactly this process; false when it is gone. */
export function send(target: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false;
  try {
    return process.kill(target.pid, signal);
  } catch {
    return false;
  }
}

/** Field 22 of proc_pid_stat(5), clock ticks since the boot; the name before it may hold spaces and parentheses. */
function beganOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

function beganElsewhere(pid: number): string | undefined {
  try {
    const options = {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C" },
      stdio: ["ignore", "pipe", "ignore"],
    };
    return (
      execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], options as { encoding: "utf8" }).trim() ||
      undefined
    );
  } catch {
    return undefined;
  }
}
