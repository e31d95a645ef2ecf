import { fileURLToPath } from "node:url";
import { sluiceWithAdmin } from "../contenders/in-node.ts";
import { freePort } from "../processes/ports.ts";
import { startSmall } from "../upstreams/start.ts";
import { adminCall, untilUp } from "./admin.ts";
import { costTable } from "./cost.ts";
import type { Samples } from "./medians.ts";
import { type Bench, inRounds, type Part, type Report, withProxy, withUpstreams } from "./part.ts";
import { measure, type Sample } from "./small.ts";

const OFF = "no predictions";
const READ = "answers are read";
const SHADOW = "and copied to a shadow";

const POST = fileURLToPath(new URL("../load/post.lua", import.meta.url));
const READING = { retry: { idempotent_paths: ["/"] }, predictions: "/predictions/*/fare_amount" };

/**
 * Seconds of load before each measurement, for all three alike. Copies are limited to a hundred a second, so the engine that
 * compiles what runs often needs seconds, not requests, before it has done so.
 */
const WARM = 10;

/** What reading predictions and shadowing cost, with POST requests that may be copied and as many as a core can take. */
export const answers: Part = {
  name: "answers",
  needs: ["wrk"],
  async run(bench) {
    const admin = await freePort();
    const contenders = [
      sluiceWithAdmin(OFF, admin, { retry: READING.retry }),
      sluiceWithAdmin(READ, admin, READING),
      sluiceWithAdmin(SHADOW, admin, READING),
    ];
    const start = (port: number) => startSmall(bench.loadCore, port, bench.folder);
    const samples = await withUpstreams(start, (upstreams) =>
      inRounds(bench, bench.options.rounds, contenders, (contender) =>
        withProxy(bench, contender, upstreams, async (running) => {
          await untilUp(admin);
          if (contender.name === SHADOW) await adminCall(admin, "/admin/shadow", { color: "green" });
          return await measure(bench, running, WARM, POST);
        }),
      ),
    );
    return report(bench, samples);
  },
};

function report(bench: Bench, samples: Samples<Sample>): Report {
  const { rounds, seconds } = bench.options;
  return {
    title: "The engine wire with POST requests: reading predictions, and copying to a shadow",
    ...costTable(samples, OFF),
    note: `Medians of ${rounds} rounds of ${seconds} s, each after ${WARM} s of the same. About 500 answers a second are read, and 100 requests a second copied: the defaults.`,
  };
}
