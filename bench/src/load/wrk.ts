import { type Cores, runPinned } from "../processes/pinned.ts";

export interface WrkResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p99: number;
  /** Answers other than 2xx and 3xx, and socket errors. */
  readonly failures: number;
}

/** Closed-loop load on a loopback port from one pinned thread. Rejects when nothing was answered. @param script in Lua; default: GET */
export async function wrk(
  core: Cores,
  port: number,
  connections: number,
  seconds: number,
  script?: string,
): Promise<WrkResult> {
  const own = script === undefined ? [] : ["-s", script];
  const load = ["-t1", `-c${connections}`, `-d${seconds}s`, "--latency", ...own];
  const result = parseWrk(await runPinned(core, "wrk", [...load, `http://127.0.0.1:${port}/`], seconds + 30));
  if (result.requests === 0) throw new Error("no request was answered");
  return result;
}

/** Reads what wrk prints. Throws when it is not wrk's. */
export function parseWrk(text: string): WrkResult {
  const requests = /(\d+) requests in/.exec(text)?.[1];
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text)?.[1];
  const p99 = /99%\s+([\d.]+)(us|ms|s)/.exec(text);
  if (!requests || !rate || !p99) throw new Error(`wrk printed something else:\n${text}`);
  const socket =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  const unsuccessful = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? "0";
  return {
    requests: Number(requests),
    requestsPerSecond: Number(rate),
    p99: Number(p99[1]) * { us: 0.001, ms: 1, s: 1000 }[p99[2] as "us" | "ms" | "s"],
    failures: socket.reduce((sum, count) => sum + Number(count), Number(unsuccessful)),
  };
}
