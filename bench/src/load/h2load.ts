import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cores, runPinned } from "../processes/pinned.ts";

export interface H2loadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Milliseconds; h2load tells no percentiles. */
  readonly mean: number;
  readonly failures: number;
}

export interface H2load {
  readonly connections: number;
  /** Calls at once on each. */
  readonly streams: number;
  readonly seconds: number;
  /** For the message that is sent. */
  readonly folder: string;
}

/** Closed-loop gRPC calls on a loopback port from one pinned thread. Rejects when nothing was answered. */
export async function h2load(core: Cores, port: number, load: H2load): Promise<H2loadResult> {
  const { connections, streams, seconds, folder } = load;
  const message = join(folder, "message.bin");
  writeFileSync(message, Buffer.alloc(5)); // an empty message, with its prefix
  const args = ["-t1", `-c${connections}`, `-m${streams}`, `-D${seconds}`, "-d", message];
  const headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"];
  const url = `http://127.0.0.1:${port}/bench.Model/Infer`;
  const result = parseH2load(await runPinned(core, "h2load", [...args, ...headers, url], seconds + 30));
  if (result.requests === 0) throw new Error("no call was answered");
  return result;
}

/** Reads what h2load prints. Throws when it is not h2load's. */
export function parseH2load(text: string): H2loadResult {
  const rate = /finished in [\d.]+\w+, ([\d.]+) req\/s/.exec(text)?.[1];
  const counts = /requests: \d+ total, .*?(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(
    text,
  );
  const mean = /time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)/.exec(text);
  if (!rate || !counts || !mean) throw new Error(`h2load printed something else:\n${text}`);
  const [succeeded = 0, ...wrong] = counts.slice(1).map(Number);
  return {
    requests: succeeded,
    requestsPerSecond: Number(rate),
    mean: Number(mean[1]) * { us: 0.001, ms: 1, s: 1000 }[mean[2] as "us" | "ms" | "s"],
    failures: wrong.reduce((sum, count) => sum + count, 0),
  };
}
