import { bareHttpProxy } from "../contenders/in-node.ts";
import { wrk } from "../load/wrk.ts";
import { cpuSeconds, residentMiB } from "../processes/procfs.ts";
import { startSmall } from "../upstreams/start.ts";
import { middleText, type Samples, times } from "./medians.ts";
import {
  type Bench,
  inRounds,
  type Part,
  type Report,
  type Running,
  warmSeconds,
  withProxy,
  withUpstreams,
} from "./part.ts";

export interface Sample {
  readonly microseconds: number;
  readonly perSecond: number;
  readonly p99: number;
  readonly memory: number;
  readonly failures: number;
}

/** What a small request costs the proxy, with as many as its core can take. */
export const small: Part = {
  name: "small",
  needs: ["wrk"],
  async run(bench) {
    // The bare package last but for Sluice itself: the floor of what the engine http-proxy can be.
    const contenders = bench.contenders.toSpliced(-2, 0, bareHttpProxy);
    const start = (port: number) => startSmall(bench.loadCore, port, bench.folder);
    const samples = await withUpstreams(start, (upstreams) =>
      inRounds(bench, bench.options.rounds, contenders, (contender) =>
        withProxy(bench, contender, upstreams, (running) => measure(bench, running, warmSeconds(contender))),
      ),
    );
    return report(bench, samples);
  },
};

/** Loads a proxy that is warm with all that it can take. */
export async function measure(bench: Bench, running: Running, warm: number): Promise<Sample> {
  const { connections, seconds } = bench.options;
  await wrk(bench.loadCore, running.port, connections, warm);
  return load(bench, running, seconds);
}

/** Loads a proxy with all that it can take. @param script in Lua; default: GET */
export async function load(
  bench: Bench,
  { port, pids }: Running,
  seconds: number,
  script?: string,
): Promise<Sample> {
  const before = cpuSeconds(pids);
  const result = await wrk(bench.loadCore, port, bench.options.connections, seconds, script);
  const used = cpuSeconds(pids) - before;
  return {
    microseconds: (used / result.requests) * 1e6,
    perSecond: result.requestsPerSecond,
    p99: result.p99,
    memory: residentMiB(pids),
    failures: result.failures,
  };
}

function report(bench: Bench, samples: Samples<Sample>): Report {
  const cost = ({ microseconds }: Sample) => microseconds;
  const text = (name: string, of: (sample: Sample) => number, digits: number) =>
    middleText(samples, name, of, digits);
  return {
    title: `Small JSON answers over ${bench.options.connections} keep-alive connections`,
    head: [
      "proxy",
      "CPU µs/request",
      "× nginx",
      "× Caddy",
      "× http-proxy",
      "requests/s",
      "p99 ms",
      "MiB",
      "failures",
    ],
    rows: [...samples.keys()].map((name) => [
      name,
      text(name, cost, 1),
      times(samples, name, "nginx", cost),
      times(samples, name, "Caddy", cost),
      times(samples, name, "Sluice, http-proxy", cost),
      text(name, (sample) => sample.perSecond, 0),
      text(name, (sample) => sample.p99, 2),
      text(name, (sample) => sample.memory, 0),
      String(samples.get(name)!.reduce((sum, sample) => sum + sample.failures, 0)),
    ]),
    note: `CPU of the proxy's processes; medians of ${bench.options.rounds} rounds of ${bench.options.seconds} s; p99 under full load.`,
  };
}
