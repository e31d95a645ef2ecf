import { transfer } from "../load/programs.ts";
import { cpuSeconds, peakMiB, residentMiB } from "../processes/procfs.ts";
import { startBodies } from "../upstreams/start.ts";
import { middleText, type Samples, times } from "./medians.ts";
import {
  type Bench,
  inRounds,
  type Part,
  type Report,
  type Running,
  withProxy,
  withUpstreams,
} from "./part.ts";

/** More rounds of this size would take too long. */
const MOST_ROUNDS = 2;
/** Bytes each way before the first measurement. */
const WARM = 16 * 2 ** 20;

interface Sample {
  /** Megabytes (10⁶) a second. */
  readonly down: number;
  readonly up: number;
  /** CPU seconds a gigabyte (10⁹). */
  readonly downCost: number;
  readonly upCost: number;
  readonly before: number;
  readonly peak: number;
}

/** One large body each way. */
export const body: Part = {
  name: "body",
  needs: [],
  async run(bench) {
    const rounds = Math.min(bench.options.rounds, MOST_ROUNDS);
    const demands = { body: Math.max(bench.options.size, WARM) };
    const start = (port: number) => startBodies(bench.loadCore, port);
    const direct = { name: "direct" } as const;
    const samples = await withUpstreams(start, (upstreams) =>
      inRounds(bench, rounds, [direct, ...bench.contenders], (contender) =>
        "start" in contender
          ? withProxy(bench, contender, upstreams, (running) => measure(bench, running), demands)
          : measure(bench, { port: upstreams[0], pids: [] }),
      ),
    );
    return report(bench, samples, rounds);
  },
};

async function measure({ loadCore, options: { size } }: Bench, { port, pids }: Running): Promise<Sample> {
  for (const direction of ["get", "put"] as const) {
    await transfer(loadCore, port, direction, Math.min(size, WARM));
  }
  const before = residentMiB(pids);
  const times = [cpuSeconds(pids)];
  const down = await transfer(loadCore, port, "get", size);
  times.push(cpuSeconds(pids));
  const up = await transfer(loadCore, port, "put", size);
  times.push(cpuSeconds(pids));
  return {
    down: size / 1e6 / down,
    up: size / 1e6 / up,
    downCost: (times[1]! - times[0]!) / (size / 1e9),
    upCost: (times[2]! - times[1]!) / (size / 1e9),
    before,
    peak: peakMiB(pids),
  };
}

function report({ options: { size } }: Bench, samples: Samples<Sample>, rounds: number): Report {
  const text = (name: string, of: (sample: Sample) => number, digits: number) =>
    middleText(samples, name, of, digits);
  const proxied = (name: string, value: string) => (name === "direct" ? "–" : value);
  return {
    title: `One body of ${size / 2 ** 20} MiB down, and one up`,
    head: [
      "proxy",
      "down MB/s",
      "× nginx",
      "CPU s/GB",
      "up MB/s",
      "× nginx",
      "CPU s/GB",
      "MiB before",
      "peak MiB",
    ],
    rows: [...samples.keys()].map((name) => [
      name,
      text(name, ({ down }) => down, 0),
      times(samples, name, "nginx", ({ down }) => down),
      proxied(
        name,
        text(name, ({ downCost }) => downCost, 2),
      ),
      text(name, ({ up }) => up, 0),
      times(samples, name, "nginx", ({ up }) => up),
      proxied(
        name,
        text(name, ({ upCost }) => upCost, 2),
      ),
      proxied(
        name,
        text(name, ({ before }) => before, 0),
      ),
      proxied(
        name,
        text(name, ({ peak }) => peak, 0),
      ),
    ]),
    note: `Nothing goes to disk; medians of ${rounds} rounds. Beside "direct", client and upstream are the bound, not the proxy.`,
  };
}
