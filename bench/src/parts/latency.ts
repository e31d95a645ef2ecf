import { type Latencies, openLoop } from "../load/programs.ts";
import { startSmall } from "../upstreams/start.ts";
import { middle, middleText, type Samples } from "./medians.ts";
import {
  type Bench,
  inRounds,
  type Part,
  type Report,
  warmSeconds,
  withProxy,
  withUpstreams,
} from "./part.ts";

/** Requests a second. */
const RATE = 1000;
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
        "start" in contender
          ? withProxy(bench, contender, upstreams, ({ port }) => measure(bench, port, warmSeconds(contender)))
          : measure(bench, upstreams[0], 1),
      ),
    );
    return report(bench, samples);
  },
};

async function measure(bench: Bench, port: number, warm: number): Promise<Latencies> {
  const { connections, seconds } = bench.options;
  await openLoop(bench.loadCore, port, { rate: RATE, seconds: warm, connections });
  return openLoop(bench.loadCore, port, { rate: RATE, seconds, connections });
}

function report(bench: Bench, samples: Samples<Latencies>): Report {
  const own = (name: string, of: (sample: Latencies) => number) => middleText(samples, name, of, 2);
  const added = (name: string, of: (sample: Latencies) => number) =>
    name === DIRECT.name ? "–" : difference(middle(samples, name, of), middle(samples, DIRECT.name, of));
  const { rounds, seconds } = bench.options;
  return {
    title: `${RATE} requests a second, whether or not answers come`,
    head: ["proxy", "p50 ms", "p50 added", "p99 ms", "p99 added", "most ms", "sent late p99", "failures"],
    rows: [...samples.keys()].map((name) => [
      name,
      own(name, ({ p50 }) => p50),
      added(name, ({ p50 }) => p50),
      own(name, ({ p99 }) => p99),
      added(name, ({ p99 }) => p99),
      own(name, ({ most }) => most),
      own(name, ({ lateP99 }) => lateP99),
      String(samples.get(name)!.reduce((sum, sample) => sum + sample.failures, 0)),
    ]),
    note: `Counted from when a request was due; medians of ${rounds} rounds of ${seconds} s. "Sent late" is the client's own share.`,
  };
}

function difference(one: number | undefined, other: number | undefined): string {
  return one === undefined || other === undefined ? "–" : (one - other).toFixed(2);
}
