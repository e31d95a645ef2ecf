import { pickByKey } from "./affinity.ts";
import { drawByWeight, NO_COLOR, type SmoothRoundRobin } from "./pick-color.ts";

/** How the colors of one snapshot are drawn, laid out so that a draw allocates nothing. */
export interface ColorTable {
  readonly names: readonly string[];
  readonly weights: readonly number[];
  /** Index of the standby, or {@link NO_COLOR}. */
  readonly standby: number;
  readonly split: "random" | "exact";
  readonly salt: string;
}

/** What one data plane keeps between draws. */
export interface DrawState {
  readonly assign: SmoothRoundRobin;
  /** One for each color that is failed over from: each divides among others, and a change of weights begins anew. */
  readonly failover: readonly SmoothRoundRobin[];
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * The color a request is assigned to. `key` is the affinity key, undefined where there is none. Health plays no part:
 * an unhealthy color keeps its assigned requests, and fails them over.
 */
export function chooseColor(table: ColorTable, key: string | undefined, state: DrawState): number {
  return draw(table, table.weights, key, state, state.assign);
}

/**
 * Where an assigned request goes when its color cannot take it: to the other colors with weight, by weight, then to the
 * standby; never to another color of weight 0. `usable` says which colors could take it now.
 */
export function chooseFailover(
  table: ColorTable,
  assigned: number,
  key: string | undefined,
  state: DrawState,
  usable: (color: number) => boolean,
): number {
  const weights = table.weights.map((weight, i) => (i !== assigned && weight > 0 && usable(i) ? weight : 0));
  const chosen = draw(table, weights, key, state, state.failover[assigned]!);
  if (chosen !== NO_COLOR) return chosen;
  const { standby } = table;
  return standby !== NO_COLOR && standby !== assigned && usable(standby) ? standby : NO_COLOR;
}

function draw(
  table: ColorTable,
  weights: readonly number[],
  key: string | undefined,
  state: DrawState,
  exact: SmoothRoundRobin,
): number {
  if (key !== undefined) return pickByKey(table.names, weights, table.salt, key);
  return table.split === "exact" ? exact.next(weights) : drawByWeight(weights, state.random());
}
