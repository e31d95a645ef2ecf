import { expect, it } from "vitest";
import type { Report } from "../../core/report.ts";
import type { RunReport } from "../../core/rollout/counting.ts";
import { seeded } from "../../core/seeded.ts";
import { RolloutCounter } from "../../proxy/rollout/rollout-counter.ts";
import { Ledger } from "./ledger.ts";

const PAIR = { candidate: "sha256:b", stable: "sha256:a" };
const RHO = 0.25;

const reported = (...runs: RunReport[]): Report => ({
  worker: 0,
  epoch: 1,
  colors: {},
  connections: 0,
  runs,
});
/** As it is read from the disk by the next router. */
const saved = (ledger: Ledger) => JSON.parse(JSON.stringify(ledger));

function sums({ evidence }: Pick<Ledger, "evidence">) {
  const total = { candidate: { requests: 0, bad: 0 }, stable: { requests: 0, bad: 0 } };
  for (const stratum of evidence.tallies.errors?.strata ?? []) {
    for (const color of ["candidate", "stable"] as const) {
      total[color].requests += stratum[color].requests;
      total[color].bad += stratum[color].bad;
    }
  }
  return total;
}

it.each([1, 2, 3, 4, 5])("keeps what was saved, whole and once, through kills at any moment (%i)", (seed) => {
  const random = seeded(seed);
  let ledger = new Ledger();
  ledger.judge("r", PAIR, true);
  let [disk, counter] = [saved(ledger), new RolloutCounter("r")];
  const counted = { candidate: { requests: 0, bad: 0 }, stable: { requests: 0, bad: 0 } };
  let kept = structuredClone(counted); // what had been reported when the disk was written
  let told = structuredClone(counted);
  for (let i = 0; i < 2000; i++) {
    const [candidate, bad, step] = [random() < RHO, random() < 0.1, random()];
    counter.tally("errors").add(RHO, candidate, bad);
    const color = counted[candidate ? "candidate" : "stable"];
    color.requests++;
    if (bad) color.bad++;
    if (step < 0.2) {
      for (let times = random() * 3; times > 0; times--) ledger.onReport(reported(counter.report()));
      told = structuredClone(counted);
    } else if (step < 0.25) [disk, kept] = [saved(ledger), structuredClone(told)];
    else if (step < 0.26) {
      ledger = new Ledger(disk);
      ledger.judge("r", PAIR, false);
      told = structuredClone(kept);
      if (random() < 0.5) {
        counter = new RolloutCounter("r"); // the process that counted is gone, too: one process does both
        Object.assign(counted, structuredClone(kept));
      }
      expect(sums(ledger)).toEqual(kept);
    }
  }
  ledger.onReport(reported(counter.report()));
  expect(sums(ledger)).toEqual(counted);
  expect(counted.candidate.bad).toBeGreaterThan(0);
});
