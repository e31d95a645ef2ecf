import type { Contender } from "../contenders/contender.ts";
import { type Latencies, openLoop } from "../load/programs.ts";
import { startSmall } from "../upstreams/start.ts";
import { middle, type Samples } from "./medians.ts";
import { type Bench, inRounds, type Part, type Report, withProxy, withUpstreams } from "./part.ts";

/** Requests a second. */
const RATE = 1000;
/** Seconds at that rate before the first measurement. */
const WARM = 1;
/** The upstream itself, without a proxy before it. */
const DIRECT = { name: "direct" } as const;

/** What a proxy adds to an answer's time at a moderate, fixed rate. */
export const latency: Part = {
  name: "latency",
  needs: [],
  async run(bench) {
    const start = (port: number) => startSmall(bench.loadCore, port, bench.folder);
    const samples = await withUpstreams(start, (upstreams) =>
      inRounds(bench, bench.options.rounds, [DIRECT, ...bench.contenders], (contender) =>
        contender === DIRECT
          ? measure(bench, upstreams[0])
          : withProxy(bench, contender as Contender, upstreams, ({ port }) => measure(bench, port)),
      ),
    );
    return report(bench, samples);
  },
};

async function measure(bench: Bench, port: number): Promise<Latencies> {
  const { connections, seconds } = bench.options;
  await openLoop(bench.loadCore, port, { rate: RATE, seconds: WARM, connections });
  return openLoop(bench.loadCore, port, { rate: RATE, seconds, connections });
}

function report(bench: Bench, samples: Samples<Latencies>): Report {
  const over = (name: string, of: (sample: Latencies) => number) =>
    (middle(samples, name, of)! - middle(samples, DIRECT.name, of)!).toFixed(2);
  const own = (name: string, of: (sample: Latencies) => number) => middle(samples, name, of)!.toFixed(2);
  const { rounds, seconds } = bench.options;
  return {
    title: `${RATE} requests a second, whether or not answers come`,
    head: ["proxy", "p50 ms", "p50 added", "p99 ms", "p99 added", "most ms", "sent late p99", "failures"],
    rows: [...samples.keys()].map((name) => [
      name,
      own(name, ({ p50 }) => p50),
      name === DIRECT.name ? "–" : over(name, ({ p50 }) => p50),
      own(name, ({ p99 }) => p99),
      name === DIRECT.name ? "–" : over(name, ({ p99 }) => p99),
      own(name, ({ most }) => most),
      own(name, ({ lateP99 }) => lateP99),
      String(samples.get(name)!.reduce((sum, sample) => sum + sample.failures, 0)),
    ]),
    note: `Counted from when a request was due; medians of ${rounds} rounds of ${seconds} s. "Sent late" is the client's own share.`,
  };
}
