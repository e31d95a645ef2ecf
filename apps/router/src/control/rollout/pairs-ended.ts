import type { RolloutState } from "../../core/rollout/state.ts";
import type { Reading } from "../../core/verdict/reading.ts";
import type { Verdict } from "../../core/verdict/verdict.ts";

/** A verdict whose forecasts promise no pairs: once the candidate has weight nothing is copied to it. */
export function withoutPairs(verdict: Verdict, { share }: RolloutState): Verdict {
  if (share === 0) return verdict;
  const { next } = verdict;
  const readings = verdict.readings.map((one) => (one.pairs ? { ...one, forecast: undefined } : one));
  const promised = next?.unit === "pairs" || (next?.decision === "promote" && lackingPairs(readings));
  if (!promised) return { ...verdict, readings };
  const outlook = "no verdict in sight: nothing is copied to a color with weight, so no further pairs come";
  return { ...verdict, readings, next: undefined, outlook };
}

/** What promotion needs pairs for, and how few there are; undefined where there are enough, or none are needed. */
export function pairsWarning(
  readings: readonly Reading[],
  { candidate: { color } }: RolloutState,
): string | undefined {
  const lacking = lackingPairs(readings);
  if (lacking?.kind !== "not_inferior") return undefined;
  const { requests, bad } = lacking.pairs!;
  const known =
    requests === 0 ? "there are no pairs" : `${color} has won ${requests - bad} of ${requests} pairs`;
  return [
    `Too little is known for "${lacking.guard}", which promotion needs: ${known}.`,
    `Nothing is copied to ${color} once it has weight, and only actual values of what was copied before still add to that:`,
    `abort, let a shadow run for longer (sluice shadow start ${color}), and start again.`,
  ].join(" ");
}

function lackingPairs(readings: readonly Reading[]): Reading | undefined {
  return readings.find(({ role, reached, pairs }) => role === "promotion" && !reached && pairs !== undefined);
}
