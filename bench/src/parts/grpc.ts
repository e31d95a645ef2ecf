import { haproxyGrpc, nginxGrpc } from "../contenders/grpc.ts";
import { sluiceGrpc } from "../contenders/in-node.ts";
import { h2load } from "../load/h2load.ts";
import { has } from "../processes/pinned.ts";
import { untilGrpc } from "../processes/ports.ts";
import { cpuSeconds, residentMiB } from "../processes/procfs.ts";
import { startGrpc } from "../upstreams/start.ts";
import { middleText, times } from "./medians.ts";
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

interface Sample {
  readonly microseconds: number;
  readonly perSecond: number;
  readonly mean: number;
  readonly memory: number;
  readonly failures: number;
}

const LOAD = { connections: 8, streams: 8 };

/** What a gRPC call costs the proxy, over HTTP/2 on both sides, with as many as its core can take. */
export const grpc: Part = {
  name: "grpc",
  needs: [],
  missing: () => (has("h2load") ? undefined : "h2load is not installed (apt-get install nghttp2-client)"),
  async run(bench) {
    const contenders = [nginxGrpc, haproxyGrpc, sluiceGrpc].filter(({ name, missing }) => {
      const why = missing();
      if (why !== undefined) bench.complain(`without ${name}: ${why}`);
      return why === undefined;
    });
    const start = (port: number) => startGrpc(bench.loadCore, port);
    const samples = await withUpstreams(
      start,
      (upstreams) =>
        inRounds(bench, bench.options.rounds, contenders, (contender) => {
          const use = (running: Running) => measure(bench, running, warmSeconds(contender));
          return withProxy(bench, contender, upstreams, use, { ready: untilGrpc });
        }),
      untilGrpc,
    );
    return report(bench, samples);
  },
};

async function measure(bench: Bench, { port, pids }: Running, warm: number): Promise<Sample> {
  const { loadCore, folder, options } = bench;
  await h2load(loadCore, port, { ...LOAD, folder, seconds: warm });
  const before = cpuSeconds(pids);
  const result = await h2load(loadCore, port, { ...LOAD, folder, seconds: options.seconds });
  const used = cpuSeconds(pids) - before;
  return {
    microseconds: (used / result.requests) * 1e6,
    perSecond: result.requestsPerSecond,
    mean: result.mean,
    memory: residentMiB(pids),
    failures: result.failures,
  };
}

function report(bench: Bench, samples: ReadonlyMap<string, readonly Sample[]>): Report {
  const cost = ({ microseconds }: Sample) => microseconds;
  const text = (name: string, of: (sample: Sample) => number, digits: number) =>
    middleText(samples, name, of, digits);
  return {
    title: `Unary gRPC calls over ${LOAD.connections} connections with ${LOAD.streams} streams each`,
    head: ["proxy", "CPU µs/call", "× nginx", "× HAProxy", "calls/s", "mean ms", "MiB", "failures"],
    rows: [...samples.keys()].map((name) => [
      name,
      text(name, cost, 1),
      times(samples, name, "nginx", cost),
      times(samples, name, "HAProxy", cost),
      text(name, ({ perSecond }) => perSecond, 0),
      text(name, ({ mean }) => mean, 2),
      text(name, ({ memory }) => memory, 0),
      String(samples.get(name)!.reduce((sum, { failures }) => sum + failures, 0)),
    ]),
    note: `CPU of the proxy's processes; medians of ${bench.options.rounds} rounds of ${bench.options.seconds} s. The upstreams are Node: calls/s is theirs as much as the proxy's.`,
  };
}
