import { Refusal } from "./refusal.ts";

/** A color's weight by its name: finite numbers of at least 0, any scale, in the order of the configuration. */
export type Weights = Readonly<Record<string, number>>;

/**
 * Checks weights that came from outside and puts them in the order of `colors`. Every color must be named: whether a
 * missing one should keep its weight (HAProxy) or lose it (Traefik) is a guess that would move traffic.
 * @throws Refusal unknown_color, invalid_weights
 */
export function checkWeights(given: Readonly<Record<string, unknown>>, colors: readonly string[]): Weights {
  for (const name of Object.keys(given)) mustExist(name, colors);
  const missing = colors.filter((name) => !Object.hasOwn(given, name));
  if (missing.length > 0) {
    throw new Refusal(
      "invalid_weights",
      `No weight is given for ${missing.join(", ")}: name every color, with 0 for none.`,
    );
  }
  const weights = Object.fromEntries(colors.map((name) => [name, checkWeight(name, given[name])]));
  if (colors.every((name) => weights[name] === 0)) {
    throw new Refusal("invalid_weights", "All weights are 0: at least one color must take requests.");
  }
  return weights;
}

/** @throws Refusal unknown_color */
export function mustExist(name: string, colors: readonly string[]): void {
  if (colors.includes(name)) return;
  throw new Refusal(
    "unknown_color",
    `There is no color ${JSON.stringify(name)}; there are ${colors.join(", ")}.`,
  );
}

function checkWeight(name: string, value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value === 0 ? 0 : value; // -0 is 0
  // JSON has no word for infinity, but 1e999 is read as one
  const shown = typeof value === "number" ? String(value) : JSON.stringify(value);
  throw new Refusal(
    "invalid_weights",
    `The weight of ${name} is ${shown}; expected a finite number of at least 0.`,
  );
}

/** Shares of new requests, 0 to 1, adding up to 1. Scaled first, so that not even 1e308 twice overflows. */
export function shares(weights: Weights): Record<string, number> {
  const scaled = scaleDown(weights);
  const total = Object.values(scaled).reduce((sum, weight) => sum + weight, 0);
  return mapValues(scaled, (weight) => (total > 0 ? weight / total : 0));
}

/** The same weights, or, where their sum would not be finite, each divided by the largest. */
export function scaleDown(weights: Weights): Weights {
  const values = Object.values(weights);
  if (Number.isFinite(values.reduce((sum, weight) => sum + weight, 0))) return weights;
  const largest = Math.max(...values);
  return mapValues(weights, (weight) => weight / largest);
}

/** The color that has all weight; undefined while two or more share it. */
export function soleColor(weights: Weights): string | undefined {
  const weighty = Object.keys(weights).filter((name) => weights[name]! > 0);
  return weighty.length === 1 ? weighty[0] : undefined;
}

/** All weight to one color, on the scale of people: 100 and 0. */
export function allTo(color: string, colors: readonly string[]): Weights {
  return Object.fromEntries(colors.map((name) => [name, name === color ? 100 : 0]));
}

/** The color of the largest weight, the first of several. */
export function heaviest(weights: Weights): string {
  return Object.keys(weights).reduce((best, name) => (weights[name]! > weights[best]! ? name : best));
}

export function sameWeights(a: Weights, b: Weights): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function mapValues(weights: Weights, change: (weight: number) => number): Record<string, number> {
  return Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, change(weight)]));
}
