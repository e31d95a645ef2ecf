import { sluiceWithAdmin } from "../contenders/in-node.ts";
import { freePort } from "../processes/ports.ts";
import { startSmall } from "../upstreams/start.ts";
import { adminCall, until, untilUp } from "./admin.ts";
import { costTable } from "./cost.ts";
import type { Samples } from "./medians.ts";
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

const OFF = "no rollout";
const ON = "a rollout";

/** What counting for a rollout costs: the same halves of traffic, with a rollout that runs and without one. */
export const rollout: Part = {
  name: "rollout",
  needs: ["wrk"],
  async run(bench) {
    const admin = await freePort();
    const contenders = [OFF, ON].map((name) => sluiceWithAdmin(name, admin));
    let version = 0;
    const start = (port: number) => startSmall(bench.loadCore, port, bench.folder, `1.0.${version++}`);
    const samples = await withUpstreams(start, (upstreams) =>
      inRounds(bench, bench.options.rounds, contenders, (contender) =>
        withProxy(bench, contender, upstreams, async (running) => {
          await prepare(admin, contender.name === ON);
          return await measure(bench, running, warmSeconds(contender));
        }),
      ),
    );
    return report(bench, samples);
  },
};

/** A step that does not end while it is measured, with all guards that the data plane counts for by itself. */
const PLAN = {
  candidate: "green",
  steps: [50],
  step_min: "10m",
  warm_up: 0,
  guards: { errors: {}, slow: { after: "250ms" }, rejected: {}, objective: {} },
};

async function prepare(admin: number, on: boolean): Promise<void> {
  await untilUp(admin);
  if (!on) return void (await adminCall(admin, "/admin/weights", { blue: 50, green: 50 }));
  await adminCall(admin, "/admin/rollouts", PLAN);
  await until(async () => (await adminCall(admin, "/admin/state")).weights.green === 50);
}

function report(bench: Bench, samples: Samples<Sample>): Report {
  const { rounds, seconds } = bench.options;
  return {
    title: "The engine wire with and without a rollout that runs, at 50 %",
    ...costTable(samples, OFF),
    note: `Medians of ${rounds} rounds of ${seconds} s. Four guards: errors, slow, rejected, objective.`,
  };
}
