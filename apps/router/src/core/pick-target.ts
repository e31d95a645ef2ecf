/**
 * The less loaded of two random candidates (Mitzenmacher 2001): close to the least loaded of all, without the herd that
 * runs to one target when several routers look at the same numbers.
 *
 * `random` gives uniform numbers in [0, 1). Returns undefined for no candidates.
 */
export function pickTarget<T extends { readonly inFlight: number }>(
  candidates: readonly T[],
  random: () => number,
): T | undefined {
  if (candidates.length < 2) return candidates[0];
  const first = Math.floor(random() * candidates.length);
  const step = 1 + Math.floor(random() * (candidates.length - 1));
  const a = candidates[first]!;
  const b = candidates[(first + step) % candidates.length]!;
  return b.inFlight < a.inFlight ? b : a;
}
