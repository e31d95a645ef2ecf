import { startSmall } from "../upstreams/start.ts";
import { adminCall, until } from "./admin.ts";
import { type Part, withUpstreams } from "./part.ts";
import { inTurns, turnsNote, turnsTable, type Way } from "./turns.ts";

/** A step that does not end while it is measured, with all guards that the data plane counts for by itself. */
const PLAN = {
  candidate: "green",
  steps: [50],
  step_min: "10m",
  warm_up: 0,
  guards: { errors: {}, slow: { after: "250ms" }, rejected: {}, objective: {} },
};

const WAYS: readonly Way[] = [
  {
    name: "no rollout",
    config: {},
    prepare: (admin) => adminCall(admin, "/admin/weights", { blue: 50, green: 50 }),
  },
  {
    name: "a rollout",
    config: {},
    prepare: async (admin) => {
      await adminCall(admin, "/admin/rollouts", PLAN);
      await until(async () => (await adminCall(admin, "/admin/state")).weights.green === 50);
    },
  },
];

/** What counting for a rollout costs: the same halves of traffic, with a rollout that runs and without one. */
export const rollout: Part = {
  name: "rollout",
  needs: ["wrk"],
  async run(bench) {
    let version = 0;
    const start = (port: number) => startSmall(bench.loadCore, port, bench.folder, `1.0.${version++}`);
    const rounds = await withUpstreams(start, (upstreams) => inTurns(bench, WAYS, upstreams));
    return {
      title: "The engine wire with and without a rollout that runs, at 50 %",
      ...turnsTable(rounds, WAYS),
      note: `${turnsNote(bench)} Four guards: errors, slow, rejected, objective.`,
    };
  },
};
