import { middleText, type Samples, times } from "./medians.ts";
import type { Report } from "./part.ts";
import type { Sample } from "./small.ts";

/** What one part of the router costs: a row for each way to run it, each as a multiple of `without`. */
export function costTable(samples: Samples<Sample>, without: string): Pick<Report, "head" | "rows"> {
  const cost = ({ microseconds }: Sample) => microseconds;
  return {
    head: ["", "CPU µs/request", "× none", "requests/s", "p99 ms", "failures"],
    rows: [...samples.keys()].map((name) => [
      name,
      middleText(samples, name, cost, 1),
      times(samples, name, without, cost),
      middleText(samples, name, ({ perSecond }) => perSecond, 0),
      middleText(samples, name, ({ p99 }) => p99, 2),
      String(samples.get(name)!.reduce((sum, { failures }) => sum + failures, 0)),
    ]),
  };
}
