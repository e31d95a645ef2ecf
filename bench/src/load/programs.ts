import { fileURLToPath } from "node:url";
import { type Cores, Pinned, runPinned, within } from "../processes/pinned.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** All in milliseconds, counted from the moment at which a request was due. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  /** 99th percentile of how late requests were sent: what the client itself adds. */
  readonly lateP99: number;
  readonly failures: number;
}

export async function openLoop(
  core: Cores,
  port: number,
  load: { rate: number; seconds: number; connections: number },
): Promise<Latencies> {
  const args = [port, load.rate, load.seconds, load.connections].map(String);
  const program = [at("./open-loop.ts"), ...args];
  return JSON.parse(await runPinned(core, process.execPath, program, load.seconds + 30)) as Latencies;
}

/** A body that moves more slowly than this has got stuck. */
const SLOWEST = 30e6;

/** Moves one body. @returns seconds */
export async function transfer(
  core: Cores,
  port: number,
  direction: "get" | "put",
  bytes: number,
): Promise<number> {
  const args = [at("./transfer.ts"), String(port), direction, String(bytes)];
  const printed = await runPinned(core, process.execPath, args, 5 + bytes / SLOWEST);
  return (JSON.parse(printed) as { seconds: number }).seconds;
}

/** Opens connections that then do nothing. */
export async function holdIdle(core: Cores, port: number, count: number): Promise<Held> {
  const client = new Pinned(core, process.execPath, [at("./idle.ts"), String(port), String(count)]);
  await within(60, client, client.printedLine(/^ready$/m));
  return new Held(client);
}

export class Held {
  readonly #client: Pinned;

  constructor(client: Pinned) {
    this.#client = client;
  }

  /** Lets go of them. @returns how many were open until now, and how many had no answer to their one request */
  async release(): Promise<{ open: number; failures: number }> {
    this.#client.child.stdin!.end();
    await this.#client.ended;
    return JSON.parse(this.#client.printed.split("\n")[1]!) as { open: number; failures: number };
  }
}
