// `npm run bench`: what a proxied request costs, side by side, in one run on one pinned core. Prints a table.
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";
import { bareHttpProxy, type Contender, haproxy, nginx, sluice, startUpstream } from "./contenders.ts";
import { cpuSeconds, freePort, has, type Pinned, residentMiB, untilServing } from "./processes.ts";
import { wrk } from "./wrk.ts";

const CONTENDERS: readonly Contender[] = [nginx, haproxy, bareHttpProxy, sluice("http-proxy"), sluice("wire")];

/** Seconds of load before the first measurement; a compiler needs some to settle. */
const WARM = 3;

interface Options {
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: number;
}

/** One contender in one round. */
interface Sample {
  readonly microseconds: number;
  readonly perSecond: number;
  readonly p99: number;
  readonly memory: number;
  readonly failures: number;
}

const options = readOptions();
for (const program of ["wrk", "taskset"]) {
  if (!has(program)) {
    console.error(`bench: needs ${program} (Debian: apt-get install wrk util-linux).`);
    process.exit(1);
  }
}
const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
try {
  print(await measureAll(options));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function readOptions(): Options {
  return new Command("bench")
    .description(
      "CPU microseconds a request, throughput and latency beside nginx, HAProxy and bare http-proxy.",
    )
    .option("--seconds <n>", "length of one measurement", between(1, 60), 3)
    .option("--rounds <n>", "measurements of each; the table shows medians", between(1, 20), 3)
    .option("--connections <n>", "keep-alive connections", between(1, 1000), 64)
    .parse()
    .opts<Options>();
}

function between(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${low} to ${high}.`);
  };
}

async function measureAll(options: Options): Promise<Map<string, Sample[]>> {
  const cores = availableParallelism();
  const [proxyCore, otherCore] = [0, cores > 1 ? 1 : 0];
  const upstreams = [await freePort(), await freePort()] as const;
  const running = upstreams.map((port) => startUpstream(otherCore, port, folder));
  const samples = new Map<string, Sample[]>();
  try {
    for (const [i, port] of upstreams.entries()) await untilServing(port, running[i]!);
    // Round by round, so that a machine that slows down slows down for all.
    for (let round = 0; round < options.rounds; round++) {
      for (const contender of CONTENDERS.filter(present)) {
        const place = { core: proxyCore, port: await freePort(), upstreams, folder };
        const sample = await measure(contender.start(place), place.port, otherCore, options);
        samples.set(contender.name, [...(samples.get(contender.name) ?? []), sample]);
        if (process.stderr.isTTY) process.stderr.write(`\rround ${round + 1}: ${contender.name.padEnd(24)}`);
      }
    }
  } finally {
    for (const upstream of running) await upstream.stop();
    if (process.stderr.isTTY) process.stderr.write("\r".padEnd(40));
  }
  return samples;
}

function present(contender: Contender): boolean {
  const missing = contender.missing();
  if (missing) console.error(`bench: without ${contender.name}: ${missing}.`);
  return missing === undefined;
}

async function measure(proxy: Pinned, port: number, core: number, options: Options): Promise<Sample> {
  try {
    await untilServing(port, proxy);
    await wrk(core, port, options.connections, WARM); // warm: connections are open, code is compiled
    const pids = proxy.pids;
    const before = cpuSeconds(pids);
    const result = await wrk(core, port, options.connections, options.seconds);
    const used = cpuSeconds(pids) - before;
    return {
      microseconds: (used / result.requests) * 1e6,
      perSecond: result.requestsPerSecond,
      p99: result.p99,
      memory: residentMiB(pids),
      failures: result.failures,
    };
  } finally {
    await proxy.stop();
  }
}

function print(samples: ReadonlyMap<string, readonly Sample[]>): void {
  const table = new Table({
    head: ["proxy", "CPU µs/request", "× nginx", "requests/s", "p99 ms", "MiB", "failures"],
    colAligns: ["left", "right", "right", "right", "right", "right", "right"],
    style: process.stdout.isTTY ? {} : { head: [], border: [] },
  });
  const base = samples.get("nginx");
  for (const [name, runs] of samples) {
    const cost = median(runs, "microseconds");
    table.push([
      name,
      cost.toFixed(1),
      base ? (cost / median(base, "microseconds")).toFixed(2) : "–",
      median(runs, "perSecond").toFixed(0),
      median(runs, "p99").toFixed(2),
      median(runs, "memory").toFixed(0),
      runs.reduce((sum, run) => sum + run.failures, 0),
    ]);
  }
  console.log(table.toString());
  console.log(
    "One core for the proxy, one for wrk and the upstreams; medians; access log off; small JSON answers.",
  );
}

function median(samples: readonly Sample[], key: keyof Sample): number {
  const sorted = samples.map((sample) => sample[key]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
