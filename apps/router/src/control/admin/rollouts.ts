import { z } from "zod";
import type { RolloutCommand } from "../../core/rollout/command.ts";
import { PHASES } from "../../core/rollout/state.ts";
import type { LogLine, ReleaseRecord } from "../rollout/record.ts";
import { rolloutBody } from "../rollout/request.ts";
import { actor } from "./actor.ts";
import { check, readJson } from "./body.ts";
import type { AdminDeps } from "./deps.ts";
import { HttpProblem } from "./problems.ts";
import type { AdminContext, AdminRoute } from "./route.ts";

const JSON_TYPE = "application/json";
const params = z.object({
  id: z.string().meta({ description: "A rollout's id, or `current`: the newest." }),
});
const reason = z.string().trim().max(500).optional();
const commandBody = z.strictObject({ reason });
const promoteBody = z.strictObject({
  reason,
  full: z.boolean().optional().meta({ description: "Skips waits and gates up to 100 %." }),
  force: z.boolean().optional().meta({ description: "Skips promotion's guards as well." }),
});

const identity = z.object({ color: z.string(), version: z.string(), digest: z.string() });
const summary = z.object({
  id: z.string(),
  candidate: identity,
  stable: identity,
  phase: z.enum(PHASES),
  over: z.boolean(),
  share: z.number(),
  started: z.string(),
  ended: z.string().nullable(),
  by: z.string(),
  reason: z.string(),
  result: z.string(),
});
/** What is fixed; guards, steps, plan, log and evidence are described in docs/rollouts.md. */
const rollout = z.looseObject({
  ...summary.omit({ result: true }).shape,
  next: z.string(),
  verdict: z.looseObject({ decision: z.string(), reason: z.string(), outlook: z.string() }),
  guards: z.array(
    z.looseObject({ guard: z.string(), e: z.number(), log10_e: z.number(), threshold: z.number() }),
  ),
  warnings: z.array(z.string()),
});
const BODY_MISSING = 'The body is missing; expected a plan such as {"candidate": "green"}.';
const REFUSALS = {
  400: "The body is malformed, or names something that there is not.",
  404: "There is no such rollout.",
  409: "It is not possible now: one runs already, or the candidate is not ready.",
  413: "The body is too large.",
  415: "The body is not JSON.",
  503: "Another program is taking this router's place; Retry-After says when to ask again.",
  507: "It could not be saved.",
};

/** Rollouts: weight in steps, judged by evidence. */
export function rolloutRoutes(deps: AdminDeps): AdminRoute[] {
  return [
    {
      method: "post",
      path: "/admin/rollouts",
      need: "operate",
      summary: "Starts a rollout: the candidate gets requests step by step, judged by evidence.",
      body: { schema: rolloutBody, required: true },
      answer: { schema: rollout, type: JSON_TYPE },
      refusals: REFUSALS,
      handle: async (c) => {
        const body = await readJson(c);
        if (body === undefined) throw new HttpProblem(400, BODY_MISSING);
        const request = check(rolloutBody, body);
        return c.json(
          await deps.rollouts.begin(request, { by: actor(c), reason: request.reason || undefined }),
        );
      },
    },
    {
      method: "get",
      path: "/admin/rollouts",
      need: "read",
      summary: "All rollouts that are kept, the newest first.",
      answer: {
        schema: z.object({ current: z.string().nullable(), rollouts: z.array(summary) }),
        type: JSON_TYPE,
      },
      handle: async (c) => {
        await deps.book.refresh();
        const { all, isRunning } = deps.rollouts;
        return c.json({ current: isRunning ? all[0]!.id : null, rollouts: all.map(summaryOf) });
      },
    },
    {
      method: "get",
      path: "/admin/rollouts/:id",
      need: "read",
      summary: "One rollout: phase, evidence against thresholds, intervals, forecast, log.",
      params,
      answer: { schema: rollout, type: JSON_TYPE },
      refusals: { 404: REFUSALS[404] },
      handle: async (c) => {
        await deps.book.refresh();
        return c.json(find(c, deps));
      },
    },
    commandRoute(deps, "pause", "Keeps the weights as they are; guards go on watching."),
    commandRoute(deps, "resume", "Goes on, and accepts the guard whose breach paused it."),
    commandRoute(deps, "promote", "Approves the step that waits; with `full` it skips every wait and gate."),
    commandRoute(deps, "abort", "All requests to the stable color, at once and in every phase."),
  ];
}

function commandRoute(
  deps: AdminDeps,
  kind: "pause" | "resume" | "promote" | "abort",
  description: string,
): AdminRoute {
  const schema = kind === "promote" ? promoteBody : commandBody;
  return {
    method: "post",
    path: `/admin/rollouts/:id/${kind}`,
    need: "operate",
    summary: description,
    params,
    body: { schema, required: false },
    answer: { schema: rollout, type: JSON_TYPE },
    refusals: REFUSALS,
    handle: async (c) => {
      const body: z.output<typeof promoteBody> = check(schema, (await readJson(c)) ?? {});
      const { id } = find(c, deps);
      if (id !== deps.rollouts.state?.id) {
        throw new HttpProblem(409, `The rollout ${id} is over; nothing is left to ${kind}.`);
      }
      const { saved } = await deps.rollouts.command(commandOf(kind, body, actor(c)));
      return c.json({ ...deps.rollouts.record(id), ...(saved ? {} : { saved }) });
    },
  };
}

function commandOf(
  kind: "pause" | "resume" | "promote" | "abort",
  { reason: why, full = false, force = false }: z.output<typeof promoteBody>,
  by: string,
): RolloutCommand {
  const asked = { by, ...(why ? { reason: why } : {}) };
  if (kind !== "promote") return { kind, ...asked };
  // said a second time, or too late, it must not skip what nobody meant to skip
  return full || force ? { kind, force, ...asked } : { kind: "approve", ...asked };
}

function find(c: AdminContext, { rollouts }: AdminDeps): ReleaseRecord {
  const id = c.req.param("id")!;
  const found = rollouts.record(id);
  if (found !== undefined) return found;
  const what =
    id === "current" ? "There has been no rollout yet." : `There is no rollout ${JSON.stringify(id)}.`;
  throw new HttpProblem(404, what);
}

function summaryOf(record: ReleaseRecord) {
  const { id, candidate, stable, phase, over, share, started, ended, by, reason: why } = record;
  return {
    id,
    candidate,
    stable,
    phase,
    over,
    share,
    started,
    ended,
    by,
    reason: why,
    result: resultOf(record),
  };
}

/** The line of a log that decided how it ended, by its phase; what came after only carried it out. */
const DECISIVE: Readonly<Partial<Record<ReleaseRecord["phase"], LogLine["event"]>>> = {
  promoted: "promote",
  rolling_back: "rollback",
  rolled_back: "rollback",
  aborted: "abort",
};

function resultOf({ phase, log }: ReleaseRecord): string {
  const event = DECISIVE[phase];
  return (log.findLast((line) => line.event === event) ?? log.at(-1))?.reason ?? "";
}
