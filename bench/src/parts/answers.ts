import { fileURLToPath } from "node:url";
import { startSmall } from "../upstreams/start.ts";
import { adminCall } from "./admin.ts";
import { type Part, withUpstreams } from "./part.ts";
import { inTurns, turnsNote, turnsTable, type Way } from "./turns.ts";

const POST = fileURLToPath(new URL("../load/post.lua", import.meta.url));
const OFF = { retry: { idempotent_paths: ["/"] } };
const READING = { ...OFF, predictions: "/predictions/*/fare_amount" };

const nothing = async () => {};
const WAYS: readonly Way[] = [
  { name: "no predictions", config: OFF, prepare: nothing },
  { name: "answers are read", config: READING, prepare: nothing },
  {
    name: "and copied to a shadow",
    config: READING,
    prepare: (admin) => adminCall(admin, "/admin/shadow", { color: "green" }),
  },
];

/** What reading predictions and shadowing cost, with POST requests that may be copied and as many as a core can take. */
export const answers: Part = {
  name: "answers",
  needs: ["wrk"],
  async run(bench) {
    const start = (port: number) => startSmall(bench.loadCore, port, bench.folder);
    const rounds = await withUpstreams(start, (upstreams) => inTurns(bench, WAYS, upstreams, POST));
    return {
      title: "The engine wire with POST requests: reading predictions, and copying to a shadow",
      ...turnsTable(rounds, WAYS),
      note: `${turnsNote(bench)} About 500 answers a second are read, and 100 requests a second copied: the defaults.`,
    };
  },
};
