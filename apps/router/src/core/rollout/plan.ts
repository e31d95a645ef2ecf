import { checkJudgement, type Judgement } from "../verdict/guards.ts";

/** When a hook runs. Hooks are named here and defined in the configuration file. */
export type Moment = "before_rollout" | "before_promotion" | "after_promotion" | "on_rollback";

/** What an administrator asks for, checked and with its defaults. Durations are milliseconds, weights percent. */
export interface RolloutPlan {
  /** The candidate's weights: above 0, rising; the last is 100. */
  readonly steps: readonly number[];
  /** A step lasts at least this long, */
  readonly stepMin: number;
  /** and until the candidate has had this many requests in it. The same number must come at 100 % before the bake ends. */
  readonly stepRequests: number;
  /** How long 100 % is watched, with the old color warm, before the rollout is over. */
  readonly bake: number;
  /** Then it is paused, or rolled back, as `onTimeout` says; never promoted. */
  readonly maxDuration: number;
  readonly onBreach: "rollback" | "pause";
  readonly onTimeout: "rollback" | "pause";
  /** Steps that a person approves before they begin. */
  readonly gates: readonly number[];
  readonly hooks: Readonly<Partial<Record<Moment, string>>>;
  /** A candidate without an available target for this long is a breach, while the stable color has one. */
  readonly unavailableLimit: number;
  /** In-flight requests of the candidate are waited for so long before a rollback counts as done. */
  readonly drainLimit: number;
  readonly judgement: Judgement;
}

const MINUTE = 60_000;

export const PLAN_DEFAULTS = {
  steps: [5, 25, 50, 100],
  stepMin: MINUTE,
  stepRequests: 100,
  bake: 10 * MINUTE,
  maxDuration: 24 * 60 * MINUTE,
  onBreach: "rollback",
  onTimeout: "pause",
  gates: [],
  hooks: {},
  unavailableLimit: MINUTE / 2,
  drainLimit: MINUTE,
} as const satisfies Omit<RolloutPlan, "judgement">;

/** Percent. Less gives a candidate fewer than one request in 100,000, and from 0 or the step before nobody could tell it. */
const LEAST_STEP = 0.001;
/** More would be beyond what tallies tell apart, and beyond anybody's patience. */
const MAX_STEPS = 50;

/**
 * A plan from what was asked for. A last step of 100 is added where it is missing.
 * @throws RangeError whose message names the option and what was expected
 */
export function makePlan(given: Partial<RolloutPlan> & Pick<RolloutPlan, "judgement">): RolloutPlan {
  const plan = { ...PLAN_DEFAULTS, ...given };
  const steps = plan.steps.at(-1) === 100 ? plan.steps : [...plan.steps, 100];
  checkSteps(steps);
  for (const gate of plan.gates) {
    if (!steps.includes(gate)) {
      throw new RangeError(`gates has ${gate}, which is no step; the steps are ${steps.join(", ")}.`);
    }
  }
  for (const key of ["stepMin", "stepRequests", "bake", "drainLimit"] as const) {
    if (!(Number.isFinite(plan[key]) && plan[key] >= 0)) {
      throw new RangeError(`${key} is ${plan[key]}; expected a finite number of at least 0.`);
    }
  }
  for (const key of ["maxDuration", "unavailableLimit"] as const) {
    if (!(Number.isFinite(plan[key]) && plan[key] > 0)) {
      throw new RangeError(`${key} is ${plan[key]}; expected a finite number above 0.`);
    }
  }
  const least = plan.bake + plan.stepMin * (steps.length - 1);
  if (plan.maxDuration <= least) {
    throw new RangeError(
      `maxDuration is ${words(plan.maxDuration)}, and steps and bake alone take ${words(least)}; expected more.`,
    );
  }
  return { ...plan, steps, judgement: checkJudgement(plan.judgement) };
}

const words = (milliseconds: number) => `${milliseconds / 1000} s`;

function checkSteps(steps: readonly number[]): void {
  const rising = steps.every((step, i) => step - (steps[i - 1] ?? 0) >= LEAST_STEP - 1e-9 && step <= 100);
  if (rising && steps.length <= MAX_STEPS) return;
  throw new RangeError(
    `steps is ${steps.join(", ")}; expected at most ${MAX_STEPS} rising percentages up to 100, each at least ${LEAST_STEP} above the one before.`,
  );
}
