import { availableParallelism } from "node:os";
import { sluiceWorkers } from "../contenders/in-node.ts";
import { startSmall } from "../upstreams/start.ts";
import { middleText, type Samples, times } from "./medians.ts";
import {
  type Bench,
  inRounds,
  type Part,
  type Report,
  warmSeconds,
  withProxy,
  withUpstreams,
} from "./part.ts";
import { measure, type Sample } from "./small.ts";

/** Two cores for the workers, and two that load and upstreams need to keep them busy. */
const ENOUGH = 4;

/** What several data-plane processes give: throughput where there are cores to spare, else what sharing costs. */
export const workers: Part = {
  name: "workers",
  needs: ["wrk"],
  async run(bench) {
    const spare = availableParallelism() >= ENOUGH;
    const [one, more] = ["0", spare ? "0,2" : "0"];
    const contenders = [sluiceWorkers(1, one), sluiceWorkers(2, more)];
    const load = { ...bench, loadCore: spare ? "1,3" : bench.loadCore };
    const start = (port: number) => startSmall(load.loadCore, port, bench.folder);
    const samples = await withUpstreams(start, (upstreams) =>
      inRounds(bench, bench.options.rounds, contenders, (contender) =>
        withProxy(load, contender, upstreams, (running) => measure(load, running, warmSeconds(contender))),
      ),
    );
    return report(bench, samples, contenders[0]!.name, spare);
  },
};

function report(bench: Bench, samples: Samples<Sample>, alone: string, spare: boolean): Report {
  const rate = ({ perSecond }: Sample) => perSecond;
  const { rounds, seconds } = bench.options;
  return {
    title: "The engine wire in one process and in several",
    head: ["proxy", "CPU µs/request", "requests/s", "× one", "p99 ms", "MiB", "failures"],
    rows: [...samples.keys()].map((name) => [
      name,
      middleText(samples, name, ({ microseconds }) => microseconds, 1),
      middleText(samples, name, rate, 0),
      times(samples, name, alone, rate),
      middleText(samples, name, ({ p99 }) => p99, 2),
      middleText(samples, name, ({ memory }) => memory, 0),
      String(samples.get(name)!.reduce((sum, { failures }) => sum + failures, 0)),
    ]),
    note:
      `Medians of ${rounds} rounds of ${seconds} s. ` +
      (spare
        ? "Load and upstreams have cores 1 and 3."
        : `This machine has less than ${ENOUGH} cores: all share core 0, so CPU a request says what sharing costs, and nothing can be faster.`),
  };
}
