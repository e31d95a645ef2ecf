/**
 * Which color a request is assigned to. All functions work on the index of a color in its snapshot, so that nothing is
 * allocated for a request.
 */

/** No color can take it. */
export const NO_COLOR = -1;

/**
 * An independent draw. `u` is uniform in [0, 1); `weights` are finite, at least 0, any scale.
 * A weight of 0 is never drawn. Returns {@link NO_COLOR} when all are 0.
 */
export function drawByWeight(weights: ArrayLike<number>, u: number): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  let rest = u * total;
  let last = NO_COLOR;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!;
    if (weight <= 0) continue;
    if (rest < weight) return i;
    rest -= weight;
    last = i; // rounding may leave a rest of 1e-17 past the last color that has weight
  }
  return last;
}

/** Credits this close, as a part of all weight, are equal: a tie must not be decided by rounding (0.9 and 0.1). */
const ROUNDING = 1e-9;

/**
 * Smooth weighted round robin (as in nginx and HAProxy): weights 9 and 1 give exactly 9 and 1 of every 10, spread
 * evenly. Credits start anew when a weight changes, so that a recovered or raised color never gets a burst.
 */
export class SmoothRoundRobin {
  #weights: number[] = [];
  #credits: number[] = [];
  #total = 0;

  /** Returns {@link NO_COLOR}, and keeps its credits, when all weights are 0. */
  next(weights: ArrayLike<number>): number {
    if (this.#differs(weights) && !this.#restart(weights)) return NO_COLOR;
    const tie = this.#total * ROUNDING;
    let best = NO_COLOR;
    for (let i = 0; i < this.#weights.length; i++) {
      if (this.#weights[i]! <= 0) continue;
      this.#credits[i]! += this.#weights[i]!;
      if (best === NO_COLOR || this.#credits[i]! > this.#credits[best]! + tie) best = i;
    }
    if (best !== NO_COLOR) this.#credits[best]! -= this.#total;
    return best;
  }

  #differs(weights: ArrayLike<number>): boolean {
    if (weights.length !== this.#weights.length) return true;
    for (let i = 0; i < weights.length; i++) if (weights[i] !== this.#weights[i]) return true;
    return false;
  }

  #restart(weights: ArrayLike<number>): boolean {
    const next = Array.from(weights);
    const total = next.reduce((sum, weight) => sum + weight, 0);
    if (total <= 0) return false;
    this.#weights = next;
    this.#credits = next.map(() => 0);
    this.#total = total;
    return true;
  }
}
