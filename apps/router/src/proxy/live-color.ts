import { LatencyWindow } from "../core/latency-window.ts";
import type { TargetReport } from "../core/report.ts";
import type { ColorView } from "../core/snapshot.ts";
import { Target } from "../targets/target.ts";
import { ColorCounters } from "./record.ts";

/** One color as the data plane keeps it over snapshots: its targets with what is in flight, and its counters. */
export class LiveColor {
  readonly name: string;
  readonly index: number;
  readonly counters = new ColorCounters();
  readonly latency = new LatencyWindow();
  share = 0;
  targets: readonly Target[] = [];

  constructor(name: string, index: number) {
    this.name = name;
    this.index = index;
  }

  /** Takes over a snapshot's view. Targets that stay keep their state. */
  update(view: ColorView): void {
    const known = new Map(this.targets.map((target) => [target.url, target]));
    this.share = view.share;
    this.targets = view.targets.map(({ url, health }) => {
      const target = known.get(url) ?? new Target(url, this.index);
      target.health = health;
      return target;
    });
  }

  targetReports(isSuspect: (target: Target) => boolean): Record<string, TargetReport> {
    return Object.fromEntries(
      this.targets.map((target) => [
        target.url,
        {
          inFlight: target.inFlight,
          suspect: isSuspect(target),
          passes: target.passes,
          errors: target.errors,
        },
      ]),
    );
  }
}
