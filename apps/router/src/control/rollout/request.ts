import { z } from "zod";
import { parseDuration } from "../../config/units.ts";
import type { TallySpec } from "../../core/rollout/counting.ts";
import { makePlan, type RolloutPlan } from "../../core/rollout/plan.ts";
import { ALPHA, ALPHA_PROMOTION, type Judgement } from "../../core/verdict/guards.ts";
import { HttpProblem } from "../admin/problems.ts";
import { GUARD_KINDS } from "./guard-kinds.ts";
import type { Gate, GuardContext, GuardKind, Hooks, MadeGuard } from "./ports.ts";

const duration = (zero: boolean) => {
  const error = ({ input }: { readonly input?: unknown }) => notADuration(input, zero);
  return z.union([z.string(), z.literal(0)], { error }).transform((text, context) => {
    try {
      return parseDuration(text, { zero });
    } catch {
      context.addIssue({ code: "custom", message: notADuration(text, zero) });
      return z.NEVER;
    }
  });
};

/** What is wrong with it, and what was expected. */
function notADuration(value: unknown, zero: boolean): string {
  try {
    parseDuration(value, { zero });
  } catch (refused) {
    return `${JSON.stringify(value)}; ${(refused as Error).message}`;
  }
  return `${JSON.stringify(value)}; expected a text`; // "0" is one, and [0] is not
}

const GUARDS_WANTED = 'expected at most 50 names, or names with options such as {"errors": {"phi0": 1}}';
const percent = z.number().gt(0).lte(100);
const onEnd = z.enum(["rollback", "pause"]);
const hookName = z.string().min(1).max(100);

/** The body of `POST /admin/rollouts`. */
export const rolloutBody = z.strictObject({
  candidate: z.string().meta({ description: "The color that is to get all requests." }),
  stable: z.string().optional().meta({ description: "Default: the color that has all weight." }),
  expect: z.enum(["same", "better"]).default("same"),
  steps: z
    .array(percent)
    .min(1)
    .max(50)
    .optional()
    .meta({ description: "Percent. Default: 5, 25, 50, 100." }),
  step_min: duration(true).optional().meta({ description: "A step lasts at least this long. Default: 60s." }),
  step_requests: z
    .int()
    .nonnegative()
    .optional()
    .meta({ description: "And until the candidate has had so many requests in it. Default: 100." }),
  bake: duration(true).optional().meta({ description: "How long 100 % is watched. Default: 10m." }),
  max_duration: duration(false).optional().meta({ description: "Default: 24h." }),
  on_timeout: onEnd.optional().meta({ description: "What max_duration ends in. Default: pause." }),
  on_breach: onEnd.optional().meta({ description: "Default: rollback." }),
  alpha: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .meta({ description: "Shared by all rollback guards. Default: 0.01." }),
  alpha_promotion: z.number().gt(0).lt(1).optional().meta({ description: "Default: 0.05." }),
  guards: z
    .union(
      [z.array(z.string()).max(50), z.record(z.string(), z.record(z.string(), z.unknown()).nullable())],
      {
        error: GUARDS_WANTED,
      },
    )
    .optional()
    .meta({ description: "Names, or names with options. Default: the usual ones." }),
  slow_after: duration(false).optional().meta({
    description:
      "The guard slow's `after`, whichever the other guards are. Default: the stable color's 95th percentile.",
  }),
  gates: z.array(percent).optional().meta({ description: "Steps that a person approves before they begin." }),
  checks: z
    .array(z.string())
    .max(50)
    .optional()
    .meta({ description: "What must be so before the first step. Default: the usual ones." }),
  hooks: z
    .strictObject({
      before_rollout: hookName,
      before_promotion: hookName,
      after_promotion: hookName,
      on_rollback: hookName,
    })
    .partial()
    .optional()
    .meta({ description: "Names of hooks that the configuration file defines, by moment." }),
  warm_up: duration(true).optional().meta({
    description: "So long after the candidate's first weight nothing counts as slow. Default: 60s.",
  }),
  unavailable_limit: duration(false)
    .optional()
    .meta({ description: "So long the candidate may be without an available target. Default: 30s." }),
  drain_limit: duration(true).optional().meta({
    description: "So long a rollback waits for the candidate's requests in flight. Default: 60s.",
  }),
  reason: z.string().trim().max(500).optional(),
});

export type RolloutRequest = z.output<typeof rolloutBody>;

const WARM_UP = 60_000;

/** What a request comes to, once everything it names is known to be there. */
export interface Planned {
  readonly plan: RolloutPlan;
  readonly tallies: readonly TallySpec[];
  readonly checks: readonly string[];
  readonly warmUp: number;
}

export interface Available {
  readonly gates: readonly Gate[];
  readonly hooks: Hooks;
  /** Draws repeat with affinity: then there is no check of them. */
  readonly affinity: boolean;
  readonly kinds?: readonly GuardKind[];
}

/** @throws HttpProblem 400 that names the key and what was expected */
export function planOf(request: RolloutRequest, context: GuardContext, available: Available): Planned {
  const made = guardsOf(request, context, available.kinds ?? GUARD_KINDS);
  const named = Object.entries(request.hooks ?? {}).filter(([, name]) => name !== undefined);
  const hooks = Object.fromEntries(named) as RolloutPlan["hooks"];
  for (const [moment, name] of Object.entries(hooks)) {
    if (!available.hooks.names.includes(name)) {
      throw new HttpProblem(400, `hooks.${moment}: ${unknownOf(name, available.hooks.names, "hook")}`);
    }
  }
  const judgement: Judgement = {
    rollback: made.flatMap(({ rollback = [] }) => rollback),
    promotion: made.flatMap(({ promotion = [] }) => promotion),
    alpha: request.alpha ?? ALPHA,
    alphaPromotion: request.alpha_promotion ?? ALPHA_PROMOTION,
    ...(available.affinity ? {} : { assigned: "assigned" }),
  };
  const given = {
    steps: request.steps,
    stepMin: request.step_min,
    stepRequests: request.step_requests,
    bake: request.bake,
    maxDuration: request.max_duration,
    onBreach: request.on_breach,
    onTimeout: request.on_timeout,
    gates: request.gates,
    unavailableLimit: request.unavailable_limit,
    drainLimit: request.drain_limit,
  };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return {
    plan: asked(() => makePlan({ ...set, hooks, judgement })),
    tallies: talliesOf(made, available.affinity),
    checks: checksOf(request, available.gates),
    warmUp: request.warm_up ?? WARM_UP,
  };
}

function guardsOf(
  request: RolloutRequest,
  context: GuardContext,
  kinds: readonly GuardKind[],
): readonly MadeGuard[] {
  const { guards } = request;
  checkSlowAfter(request);
  const usual = () => kinds.filter((kind) => kind.usual(context)).map(({ name }) => [name, {}] as const);
  const named = Array.isArray(guards)
    ? guards.map((name) => [name, {}] as const)
    : Object.entries(guards ?? {});
  return (guards === undefined ? usual() : named).map(([name, options]) => {
    const kind = kinds.find((each) => each.name === name);
    if (kind === undefined) {
      const names = kinds.map((each) => each.name);
      throw new HttpProblem(400, `guards: ${unknownOf(name, names, "guard")}`);
    }
    return asked(() => kind.make(options ?? {}, context));
  });
}

/** `slow_after` sets an option of one guard, which must be there and not have it already. */
function checkSlowAfter({ guards, slow_after }: RolloutRequest): void {
  if (guards === undefined || slow_after === undefined) return;
  const options = Array.isArray(guards) ? Object.fromEntries(guards.map((name) => [name, null])) : guards;
  if (!Object.hasOwn(options, "slow")) {
    throw new HttpProblem(400, "slow_after is about the guard slow; expected it in guards.");
  }
  if (options.slow?.after !== undefined) {
    throw new HttpProblem(400, "slow_after and guards.slow.after say the same; expected one of them.");
  }
}

/** Requests, and whether they failed, are counted for every rollout; without affinity also how they were drawn. */
function talliesOf(made: readonly MadeGuard[], affinity: boolean): readonly TallySpec[] {
  const all: TallySpec[] = [
    { name: "errors", kind: "errors" },
    ...(affinity ? [] : [{ name: "assigned", kind: "assigned" }]),
    ...made.flatMap(({ tallies = [] }) => tallies),
  ];
  return [...new Map(all.map((spec) => [spec.name, spec])).values()];
}

function checksOf({ checks, expect }: RolloutRequest, gates: readonly Gate[]): readonly string[] {
  if (checks === undefined) return gates.filter((gate) => gate.usual(expect)).map(({ name }) => name);
  const names = gates.map(({ name }) => name);
  const unknown = checks.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new HttpProblem(400, `checks: ${unknownOf(unknown, names, "check")}`);
  return [...new Set(checks)];
}

function unknownOf(name: string, names: readonly string[], what: string): string {
  const known = names.length > 0 ? `expected ${names.join(", ")}` : `no ${what} is configured`;
  return `there is no ${what} ${JSON.stringify(name)}; ${known}.`;
}

const CORE_NAMES = /\b(stepMin|stepRequests|maxDuration|unavailableLimit|drainLimit)\b/g;

/** The core says what is wrong in its own names. */
function asked<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const said = error.message.replaceAll(CORE_NAMES, (name) =>
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    );
    throw new HttpProblem(400, said);
  }
}
