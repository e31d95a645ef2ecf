import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { TrafficSummary } from "../../src/cli/traffic/run.ts";
import { rootPath } from "./child.ts";
import { closing } from "./open.ts";
import { BIN, type Run, sluice } from "./sluice-command.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { type Answer, type Upstream, upstream } from "./upstream.ts";

export const SAMPLE = rootPath("data/sample.csv");
export const HEADER =
  "key,fare_amount,pickup_datetime,pickup_longitude,pickup_latitude,dropoff_longitude,dropoff_latitude,passenger_count";
export const ROWS = [4.5, 7, 52, 9.25].map(
  (fare, i) => `k${i},${fare},2012-06-05 23:36:1${i} UTC,-73.98,40.7${i},-73.95,40.8,${i + 1}`,
);

export const folder = temporaryFolder();
let files = 0;
/** A file of trips. */
export function csv(...lines: string[]): string {
  const path = join(folder, `${files++}.csv`);
  writeFileSync(path, lines.join("\n"));
  return path;
}
export const trips = csv(HEADER, ...ROWS);

export const opened = closing();

/** A router that answers as the real one does; every n-th request with another status. */
export const answering =
  (statuses: (i: number) => number = () => 200): Answer =>
  (request, response) => {
    const i = seenBy.get(request.socket.localPort!) ?? 0;
    seenBy.set(request.socket.localPort!, i + 1);
    response.writeHead(statuses(i), {
      "X-Sluice-Color": i % 4 === 3 ? "green" : "blue",
      "X-Request-Id": request.headers["x-request-id"]!,
    });
    response.end('{"predictions":[{"fare_amount":9}]}');
  };
const seenBy = new Map<number, number>();

export const router = async (answer = answering()): Promise<Upstream> => opened(await upstream(answer));

export async function traffic(url: string, ...args: string[]): Promise<Run & { summary: TrafficSummary }> {
  const run = await sluice(["traffic", "--url", url, "--json", ...args]);
  return { ...run, summary: run.stdout === "" ? undefined : JSON.parse(run.stdout) };
}

/** The same, for a test that ends it by a signal. */
export function startTraffic(url: string, ...args: string[]) {
  const command = [BIN, "traffic", "--url", url, "--json", ...args];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "inherit"] });
  opened({ close: () => child.kill("SIGKILL") });
  const closed = once(child, "close");
  const ended = async () => {
    const [summary, [code]] = await Promise.all([json(child.stdout), closed]);
    return { code: code as number | null, summary: summary as TrafficSummary };
  };
  return { kill: (signal: NodeJS.Signals) => child.kill(signal), ended: ended() };
}

/** What was asked for, in the order of sending: connections may overtake each other. */
export function bodies(at: Upstream): Record<string, unknown>[][] {
  const number = (headers: Upstream["seen"][number]["headers"]) =>
    Number(String(headers["x-request-id"]).split("-").at(-1));
  return at.seen
    .toSorted((a, b) => number(a.headers) - number(b.headers))
    .map(({ body }) => JSON.parse(body.toString()).data);
}
