import { Child, rootPath } from "./child.ts";
import type { RunningRouter } from "./running-router.ts";

/** Trips that happened, where they are at hand; else the sample of this repository. */
const TRIPS = process.env.SLUICE_REAL_DATA ?? rootPath("data/sample.csv");

export interface Summary {
  readonly requests: number;
  readonly failed: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly errors: unknown;
  readonly feedback: { readonly accepted: number } | null;
}

/** `sluice traffic`: trips in an order that a seed decides, at a steady rate, until it is ended. */
export class TripTraffic {
  readonly #child: Child;

  constructor(router: RunningRouter, rps: number, ...more: string[]) {
    const where = ["--url", router.url, "--admin-url", router.admin];
    const what = ["--csv", TRIPS, "--rps", String(rps), "--loop", "--seed", "1", "--json"];
    this.#child = Child.node("apps/router/bin/sluice.js", ["traffic", ...where, ...what, ...more]);
  }

  /** As by Ctrl-C: what is on its way is waited for. */
  async end(): Promise<Summary> {
    this.#child.signal("SIGINT");
    await this.#child.exited();
    await this.#child.closed();
    const line = this.#child.output.split("\n").find((each) => each.startsWith("{"));
    if (line === undefined) throw new Error(`no summary in:\n${this.#child.output}`);
    return JSON.parse(line) as Summary;
  }
}
