import { z } from "zod";
import { parseDuration } from "../../config/units.ts";
import type { Command } from "../../core/transitions.ts";
import { mustExist } from "../../core/weights.ts";
import { checkTargets } from "../allowed-targets.ts";
import type { Applied } from "../store.ts";
import { ACKNOWLEDGE_TIMEOUT, acknowledged, drained } from "../wait.ts";
import { actor } from "./actor.ts";
import { check, readJson } from "./body.ts";
import type { AdminDeps } from "./deps.ts";
import { ifMatch, revisionTag } from "./if-match.ts";
import { HttpProblem } from "./problems.ts";
import type { AdminContext, AdminRoute } from "./route.ts";
import * as schemas from "./schemas.ts";

const LONGEST_WAIT = 3_600_000;

/** A command as its body asks for it. */
interface Asked {
  readonly command: Command;
  readonly why: string | undefined;
  /** A rollout that runs is aborted by it; without, it is refused while one runs. */
  readonly abortsRollout?: boolean | undefined;
}

/** The calls that change something. */
export function changeRoutes(deps: AdminDeps): AdminRoute[] {
  return [
    change(deps, "weights", "Sets the weights of all colors.", {
      schema: schemas.weightsForms,
      read: (json) => {
        const { weights, reason, abort_rollout: abortsRollout } = readWeights(json);
        return { command: { kind: "weights", weights }, why: reason, abortsRollout };
      },
    }),
    change(deps, "flip", "Gives all weight to one color; 409 if it has no healthy target, unless forced.", {
      schema: schemas.flipBody,
      read: (json) => {
        const { to, force = false, reason, abort_rollout: abortsRollout } = check(schemas.flipBody, json);
        return { command: { kind: "flip", to, force }, why: reason, abortsRollout };
      },
    }),
    change(deps, "rollback", "Gives all weight back to the color that last had it all. Nothing refuses it.", {
      schema: schemas.plainBody,
      read: (json) => ({ command: { kind: "rollback" }, why: check(schemas.plainBody, json ?? {}).reason }),
    }),
    change(deps, "undo", "Restores the weights before the last change.", {
      schema: schemas.undoBody,
      read: (json) => {
        const { reason, abort_rollout: abortsRollout } = check(schemas.undoBody, json ?? {});
        return { command: { kind: "undo" }, why: reason, abortsRollout };
      },
    }),
    targetsRoute(deps),
  ];
}

interface Body {
  readonly schema: z.ZodType;
  readonly read: (json: unknown) => Asked;
}

/** What may be refused of every change. */
export const REFUSALS = {
  400: "The body is malformed, or names an unknown color or a bad value.",
  409: "The change is not possible now.",
  412: "The revision has changed.",
  413: "The body is too large.",
  415: "The body is not JSON.",
  503: "Another program is taking this router's place; Retry-After says when to ask again.",
  507: "The change could not be saved.",
};

function change(
  deps: AdminDeps,
  kind: "weights" | "flip" | "rollback" | "undo",
  summary: string,
  body: Body,
): AdminRoute {
  const required = kind === "weights" || kind === "flip";
  return {
    method: "post",
    path: `/admin/${kind}`,
    need: "operate",
    summary,
    query: schemas.waitQuery,
    headers: schemas.matchHeader,
    body: { schema: body.schema, required },
    answer: { schema: schemas.changeAnswer, type: "application/json" },
    refusals: REFUSALS,
    handle: async (c) => {
      const json = await readJson(c);
      if (json === undefined && required)
        throw new HttpProblem(400, "The body is missing; expected a JSON object.");
      const asked = body.read(json);
      return carryOut(c, deps, asked, ({ before, state }) => ({
        weights: state.weights,
        previous: before.weights,
      }));
    },
  };
}

function targetsRoute(deps: AdminDeps): AdminRoute {
  return {
    method: "put",
    path: "/admin/colors/:color/targets",
    need: "operate",
    summary: "Replaces a color's targets.",
    description:
      "New targets take no traffic before their first passed checks; replaced ones serve until then.",
    params: z.object({ color: z.string() }),
    query: schemas.waitQuery,
    headers: schemas.matchHeader,
    body: { schema: schemas.targetsBody, required: true },
    answer: { schema: schemas.targetsAnswer, type: "application/json" },
    refusals: REFUSALS,
    handle: async (c) => {
      const color = c.req.param("color")!;
      mustExist(color, Object.keys(deps.store.view.routing.weights));
      const { targets: given, reason: why } = check(schemas.targetsBody, await readJson(c));
      const { allowed_targets, colors } = deps.config();
      const targets = await checkTargets(given, allowed_targets, deps.resolve, colors[color]?.targets);
      const asked: Asked = { command: { kind: "targets", color, targets }, why };
      return carryOut(c, deps, asked, ({ before, state }) => ({
        color,
        targets: state.targets[color],
        previous: before.targets[color],
      }));
    },
  };
}

function readWeights(json: unknown) {
  const isLong = (json as { weights?: unknown } | undefined)?.weights instanceof Object;
  return check(schemas.weightsBody, isLong ? json : { weights: json });
}

/** Applies the command, and answers once every worker serves by it; later, if the caller waits for more. */
export async function carryOut(
  c: AdminContext,
  deps: AdminDeps,
  { command, why, abortsRollout }: Asked,
  show: (applied: Applied) => object,
  { all = false }: { all?: boolean } = {},
): Promise<Response> {
  const { patience, tunnels } = readPatience(c, deps.config().timeouts.drain);
  const accepts = ifMatch(c.req.header("If-Match"));
  const applied = await deps.store.apply(command, {
    who: actor(c),
    why: why || undefined,
    accepts,
    abortsRollout,
  });
  const { snapshot, saved } = applied;
  const waiting = {
    book: deps.book,
    clock: deps.clock,
    signal: AbortSignal.any([c.req.raw.signal, deps.leaving]),
  };
  const served = await acknowledged(snapshot.epoch, { ...waiting, timeout: ACKNOWLEDGE_TIMEOUT });
  if (!served) deps.log.warn({ epoch: snapshot.epoch }, "A worker does not serve by the newest snapshot.");
  const more =
    patience === undefined ? {} : await drained(snapshot, { ...waiting, timeout: patience, all, tunnels });
  c.header("ETag", revisionTag(snapshot.revision));
  return c.json({
    revision: snapshot.revision,
    epoch: snapshot.epoch,
    ...show(applied),
    ...(saved ? {} : { saved }),
    ...(served ? {} : { acknowledged: served }),
    ...more,
  });
}

/** How long to wait until nothing is left in flight, in milliseconds; undefined when nobody asked for that. */
function readPatience(c: AdminContext, usual: number) {
  const { wait, timeout, tunnels: alsoTunnels } = check(schemas.waitQuery, c.req.query());
  const tunnels = alsoTunnels === "true";
  if (wait !== undefined) return { patience: timeout === undefined ? usual : readTimeout(timeout), tunnels };
  if (timeout !== undefined)
    throw new HttpProblem(400, "timeout: says how long to wait, but wait=drained is missing.");
  if (alsoTunnels !== undefined)
    throw new HttpProblem(400, "tunnels: says what to wait for, but wait=drained is missing.");
  return { patience: undefined, tunnels };
}

function readTimeout(text: string): number {
  try {
    const timeout = parseDuration(text, { zero: true });
    if (timeout <= LONGEST_WAIT) return timeout;
  } catch {} // said below
  throw new HttpProblem(
    400,
    `timeout: ${JSON.stringify(text)}; expected a duration with its unit, such as 30s, of at most 1h.`,
  );
}
