import { setTimeout as pause } from "node:timers/promises";
import type { ChangeAnswer, ColorState, State, Weights } from "../admin-types.ts";
import { CliError } from "../errors.ts";
import { formatShare } from "../format.ts";
import { colorOf, type RouterControl, soleColor, weightsOf } from "./router.ts";

export interface SwitchContext {
  readonly router: RouterControl;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly signal: AbortSignal;
  /** A line for whoever watches. */
  readonly note: (text: string) => void;
}

/** A way to move traffic from one color to another. When it resolves, all weight is on `to`. */
export interface Switch {
  /** For the plan: `at once`. */
  readonly title: string;
  run(context: SwitchContext): Promise<void>;
}

/** All weight in one snapshot. */
export const atOnce: Switch = {
  title: "at once",
  run: async ({ router, to, reason, signal, note }) =>
    noteChange(await router.flip(to, { reason, signal }), note),
};

export interface StepPlan {
  /** Percent for the new color, rising, the last one 100. */
  readonly steps: readonly number[];
  /** Milliseconds at each step but the last. */
  readonly each: number;
  /** Milliseconds between two looks at the router. @default 500 */
  readonly look?: number;
}

/** How much worse than the old color's the new color's share of bad answers may be within a step. */
export const ERROR_MARGIN = 0.01;

/** Weight in steps; between two of them the router is watched. */
export function inSteps(plan: StepPlan): Switch {
  return {
    title: `${plan.steps.join(", ")} %, ${plan.each / 1000} s each`,
    async run(context) {
      const { router, to, reason, signal, note } = context;
      for (const percent of plan.steps) {
        const weights = stepWeights(context, percent, await router.state(signal));
        noteChange(await router.weights(weights, { reason: `${reason}: ${percent} %`, signal }), note);
        note(`${to} has ${percent} %`);
        if (percent < 100 && (await watchStep(context, plan)) === "taken") return;
      }
    },
  };
}

function stepWeights({ from, to }: SwitchContext, percent: number, state: State): Weights {
  const none = Object.fromEntries(Object.keys(weightsOf(state)).map((color) => [color, 0]));
  return { ...none, [from]: 100 - percent, [to]: percent };
}

/** @returns "taken" when somebody gave the new color all weight by hand meanwhile. @throws CliError it does worse */
async function watchStep(context: SwitchContext, { each, look = 500 }: StepPlan): Promise<"held" | "taken"> {
  const { router, from, to, signal } = context;
  const begin = await router.state(signal);
  const end = performance.now() + each;
  while (performance.now() < end) {
    await pause(Math.max(0, Math.min(look, end - performance.now())), undefined, { signal }).catch(() =>
      signal.throwIfAborted(),
    );
    const state = await router.state(signal);
    const overtaken = await router.overtaken(state);
    if (overtaken !== undefined) {
      if (soleColor(state)?.name !== to) throw new CliError(`${overtaken}.`);
      await router.look(signal);
      return "taken";
    }
    judge(from, to, begin, state);
  }
  return "held";
}

/** @throws CliError the new color has no healthy target, or more bad answers than the old one in this step */
function judge(from: string, to: string, begin: State, now: State): void {
  const candidate = colorOf(now, to);
  if (!candidate.targets.some(({ health }) => health === "up")) {
    throw new CliError(
      `${to} has no healthy target any more (the router says ${describeHealth(candidate)}).`,
    );
  }
  const [fresh, old] = [badShare(to, begin, now), badShare(from, begin, now)];
  if (fresh.ratio <= old.ratio + ERROR_MARGIN) return;
  throw new CliError(
    `${to} answered ${fresh.bad} of ${fresh.requests} requests badly in this step (${formatShare(fresh.ratio)} > ${formatShare(old.ratio)} of ${from} + ${formatShare(ERROR_MARGIN)}).`,
  );
}

function badShare(name: string, begin: State, now: State) {
  const before = colorOf(begin, name).evidence ?? { requests: 0, bad: 0 };
  const after = colorOf(now, name).evidence ?? { requests: 0, bad: 0 };
  const [requests, bad] = [after.requests - before.requests, after.bad - before.bad];
  return { requests, bad, ratio: requests > 0 ? bad / requests : 0 };
}

export const describeHealth = ({ targets }: ColorState): string =>
  targets.map(({ url, health }) => `${url} ${health}`).join(", ") || "no target";

function noteChange({ saved, acknowledged }: ChangeAnswer, note: (text: string) => void): void {
  if (saved === false) note("the change is in force but not saved yet; the router goes on trying");
  if (acknowledged === false) note("a worker of the router does not serve by the change yet");
}
