import { holdIdle } from "../load/programs.ts";
import { wrk } from "../load/wrk.ts";
import { mostFiles, residentMiB } from "../processes/procfs.ts";
import { startSmall } from "../upstreams/start.ts";
import type { Samples } from "./medians.ts";
import {
  type Bench,
  inRounds,
  type Part,
  type Report,
  type Running,
  withProxy,
  withUpstreams,
} from "./part.ts";

/** Files that a proxy or the client needs beside the idle connections. */
const SPARE = 500;
/** Seconds of load before memory is looked at, and of rest after the connections have opened. */
const WARM = 1;
const REST = 1;

interface Sample {
  readonly before: number;
  readonly after: number;
  readonly open: number;
  readonly failures: number;
}

/** What idle keep-alive connections cost in memory, each after one request. */
export const idle: Part = {
  name: "idle",
  needs: ["wrk"],
  async run(bench) {
    const count = countWithin(bench.options.idle, mostFiles());
    const demands = { connections: count + SPARE / 2 };
    const start = (port: number) => startSmall(bench.loadCore, port, bench.folder);
    const samples = await withUpstreams(start, (upstreams) =>
      inRounds(bench, 1, bench.contenders, (contender) =>
        withProxy(bench, contender, upstreams, (running) => measure(bench, running, count), demands),
      ),
    );
    return report(samples, count, bench.options.idle);
  },
};

/** As many as wanted, or as a process may open files for. */
export function countWithin(wanted: number, files: number): number {
  return Math.max(1, Math.min(wanted, files - SPARE));
}

async function measure(
  { loadCore, options }: Bench,
  { port, pids }: Running,
  count: number,
): Promise<Sample> {
  await wrk(loadCore, port, options.connections, WARM);
  const before = residentMiB(pids);
  const held = await holdIdle(loadCore, port, count);
  await new Promise((resolve) => setTimeout(resolve, REST * 1000));
  const after = residentMiB(pids);
  return { before, after, ...(await held.release()) };
}

function report(samples: Samples<Sample>, count: number, wanted: number): Report {
  const bounded = count < wanted ? ` The limit on open files allows no more than ${count}.` : "";
  return {
    title: `${count} idle keep-alive connections`,
    head: ["proxy", "MiB before", "MiB with them", "MiB more", "KiB each", "open", "failures"],
    rows: [...samples].map(([name, [sample]]) => {
      if (sample === undefined) return [name, ...Array<string>(6).fill("–")];
      const { before, after, open, failures } = sample;
      const more = after - before;
      return [
        name,
        before.toFixed(0),
        after.toFixed(0),
        more.toFixed(0),
        ((more * 1024) / count).toFixed(1),
        String(open),
        String(failures),
      ];
    }),
    note: `Resident memory of the proxy's processes, ${REST} s after the last connection had its one answer.${bounded}`,
  };
}
