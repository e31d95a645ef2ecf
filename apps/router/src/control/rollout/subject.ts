import type { Reference } from "../../core/evidence/prediction-drift.ts";
import { quantile } from "../../core/quantile.ts";
import { Refusal } from "../../core/refusal.ts";
import { DURATION_BUCKETS } from "../../core/report.ts";
import type { Identity } from "../../core/rollout/state.ts";
import { mustExist, soleColor } from "../../core/weights.ts";
import { identityOf, type World } from "./facts.ts";
import type { GuardContext } from "./ports.ts";
import type { RolloutRequest } from "./request.ts";

/** Answers that a color must have had before its 95th percentile is a limit. */
const ENOUGH_FOR_P95 = 100;

export interface Surroundings extends World {
  /** A color's predictions of late; undefined where too little is known. @default nothing is known */
  readonly freeze?: (color: string) => Reference | undefined;
  /** Whether predictions are read out of answers. */
  readonly predictions: () => boolean;
}

/**
 * The two colors of a rollout that is asked for, with what they run, once it is sure that it can begin.
 * @throws Refusal it cannot
 */
export function guardContext(
  world: Surroundings,
  { candidate, stable: given, expect, slow_after }: RolloutRequest,
): GuardContext {
  const { weights } = world.store.view.routing;
  const colors = Object.keys(weights);
  mustExist(candidate, colors);
  if (given !== undefined) mustExist(given, colors);
  if (weights[candidate]! > 0) throw cannot(`${candidate} has weight; a candidate starts with none.`);
  const stable = soleColor(weights);
  if (stable === undefined) throw cannot("No color has all weight; flip to the stable color first.");
  if (given !== undefined && given !== stable) {
    throw cannot(`${given} has not all weight; flip to the stable color first.`);
  }
  for (const color of [candidate, stable]) {
    if (!world.store.view.isAvailable(color)) throw cannot(`${color} has no healthy target.`);
  }
  return {
    expect,
    candidate: identity(world, candidate),
    stable: identity(world, stable),
    slowAfter: slow_after ?? p95Of(world, stable),
    reference: world.freeze?.(stable),
    predictions: world.predictions(),
  };
}

function identity(world: World, color: string): Identity {
  const known = identityOf(world, color);
  if (known !== undefined) return { color, ...known };
  throw cannot(
    `It is not known what ${color} runs, or its targets differ: answers to health checks must carry X-Model-Version and X-Model-Digest.`,
  );
}

/** In whole milliseconds; undefined while too little is known. */
function p95Of({ book }: World, color: string): number | undefined {
  const buckets = book.totals()[color]?.duration.buckets ?? [];
  if (buckets.reduce((sum, count) => sum + count, 0) < ENOUGH_FOR_P95) return undefined;
  const seconds = quantile(0.95, DURATION_BUCKETS, buckets);
  return seconds === undefined ? undefined : Math.max(1, Math.ceil(seconds * 1000));
}

function cannot(why: string): Refusal {
  return new Refusal("rollout_not_possible", why);
}
