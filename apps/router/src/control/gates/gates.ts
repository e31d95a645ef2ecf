import type { GatesConfig } from "../../config/config.ts";
import type { Ended, Gate } from "../rollout/ports.ts";
import { GateError } from "./ask.ts";
import { golden } from "./golden.ts";
import { identity } from "./identity.ts";
import { schema } from "./schema.ts";
import { warm } from "./warm-up.ts";
import type { GatesOptions, Work } from "./work.ts";

type Check = (work: Work) => Promise<string>;

/** The candidate before its first request: each of its targets is asked, and the first that is not as it should be fails it. */
export function candidateGates(options: GatesOptions): Gate[] {
  const checks: Record<GatesConfig["usual"][number], Check> = { identity, golden, schema, warm_up: warm };
  return Object.entries(checks).map(([name, check]) => ({
    name,
    usual: () => (options.config().gates.usual as readonly string[]).includes(name),
    check: (context, signal) => run(check, { options, settings: options.config().gates, context, signal }),
  }));
}

async function run(check: Check, work: Work): Promise<Ended> {
  const { timeout } = work.settings;
  const late = AbortSignal.timeout(timeout);
  const signal = AbortSignal.any([work.signal, late]);
  try {
    return { ok: true, detail: await check({ ...work, signal }) };
  } catch (error) {
    work.signal.throwIfAborted();
    if (late.aborted)
      return { ok: false, detail: `it has taken longer than ${timeout / 1000} s (gates.timeout)` };
    if (error instanceof GateError) return { ok: false, detail: error.message };
    throw error;
  }
}
