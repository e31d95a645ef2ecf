import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sluice } from "../contenders/in-node.ts";
import { wrk } from "../load/wrk.ts";
import { residentMiB } from "../processes/procfs.ts";
import { median, slope } from "../statistics.ts";
import { startSmall } from "../upstreams/start.ts";
import { type Bench, type Part, type Report, type Running, withProxy, withUpstreams } from "./part.ts";

const TENTHS = 10;
/** Seconds of load before memory is watched: heaps grow to their working size first. */
const WARM = 4;
/** Seconds that all tenths together may take. */
const MOST = 100;
/** Milliseconds between looks at the memory. */
const LOOK = 200;

/** Memory at one tenth of the way. */
interface Tenth {
  /** Requests answered since the warm-up, at its end. */
  readonly requests: number;
  /** Median over the tenth: a collector's saw is not growth. */
  readonly memory: number;
  /** The most that V8's young generation has had so far; resident memory keeps it. */
  readonly young: number;
}

/** Whether memory grows with the number of requests. */
export const growth: Part = {
  name: "growth",
  needs: ["wrk"],
  run: (bench) =>
    withUpstreams(
      (port) => startSmall(bench.loadCore, port, bench.folder),
      (upstreams) => {
        const young = join(bench.folder, "young");
        const wire = sluice("wire", young);
        return withProxy(bench, wire, upstreams, async (running) =>
          report(wire.name, await watch(bench, running, young), bench.options.growth),
        );
      },
    ),
};

async function watch(bench: Bench, { port, pids }: Running, young: string): Promise<Tenth[]> {
  const { growth: total, connections } = bench.options;
  let rate = (await wrk(bench.loadCore, port, connections, WARM)).requestsPerSecond;
  const deadline = performance.now() + MOST * 1000;
  const tenths: Tenth[] = [];
  let requests = 0;
  for (let tenth = 1; tenth <= TENTHS && performance.now() < deadline; tenth++) {
    bench.say(`tenth ${tenth} of ${TENTHS}`);
    const memory: number[] = [];
    const youngs: number[] = [];
    const looking = setInterval(() => {
      memory.push(residentMiB(pids));
      youngs.push(Number(readFileSync(young, "utf8")));
    }, LOOK);
    try {
      const seconds = secondsFor((total * tenth) / TENTHS - requests, rate);
      const result = await wrk(bench.loadCore, port, connections, seconds);
      rate = result.requestsPerSecond;
      requests += result.requests;
    } finally {
      clearInterval(looking);
    }
    tenths.push({ requests, memory: median(memory), young: median(youngs) });
  }
  return tenths;
}

/** Whole seconds, since wrk takes no others, in which about so many requests are answered. */
export function secondsFor(requests: number, rate: number): number {
  return Math.max(1, Math.round(requests / rate));
}

/** MiB a million requests: of all memory, of its second half, and of all but V8's young generation, which has a limit. */
export function growths(tenths: readonly Tenth[]): { all: number; late: number; old: number } {
  const of = (some: readonly Tenth[], memory: (tenth: Tenth) => number) =>
    slope(
      some.map(({ requests }) => requests / 1e6),
      some.map(memory),
    );
  return {
    all: of(tenths, ({ memory }) => memory),
    late: of(tenths.slice(tenths.length >> 1), ({ memory }) => memory),
    old: of(tenths, ({ memory, young }) => memory - young),
  };
}

function report(name: string, tenths: readonly Tenth[], wanted: number): Report {
  const { all, late, old } = growths(tenths);
  const byTenths = (of: (tenth: Tenth) => number) => tenths.map((tenth) => of(tenth).toFixed(0)).join(" ");
  const done = tenths.at(-1)!.requests;
  const short = done < wanted * 0.9 ? ` Stopped after ${MOST} s, short of ${wanted}.` : "";
  return {
    title: "Memory over many requests",
    head: [
      "proxy",
      "requests",
      "MiB by tenths",
      "of it young",
      "MiB/million",
      "second half",
      "without young",
    ],
    rows: [
      [
        name,
        String(done),
        byTenths(({ memory }) => memory),
        byTenths(({ young }) => young),
        all.toFixed(2),
        late.toFixed(2),
        old.toFixed(2),
      ],
    ],
    note:
      `Medians of resident memory, after ${WARM} s of warm-up; slopes by least squares. "Young" is the most that V8's young ` +
      `generation has had: it grows to its limit in steps, and stays resident.${short}`,
  };
}
