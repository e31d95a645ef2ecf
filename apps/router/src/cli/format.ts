import type { Weights } from "./admin-types.ts";

/** A share of 0 to 1 in percent, with as many decimals as it needs, at most two: 0.9 is `90 %`. */
export function formatShare(share: number): string {
  const percent = Math.round(share * 10_000) / 100;
  return percent === 0 && share > 0 ? "< 0.01 %" : `${percent} %`;
}

/** `blue 90 %, green 10 %`, whatever scale the weights have. */
export function formatWeights(weights: Weights): string {
  // divided by the largest first, or the sum of large ones is not finite
  const largest = Math.max(...Object.values(weights)) || 1;
  const sum = Object.values(weights).reduce((total, weight) => total + weight / largest, 0);
  return Object.entries(weights)
    .map(([color, weight]) => `${color} ${formatShare(sum > 0 ? weight / largest / sum : 0)}`)
    .join(", ");
}

/** Seconds as a person reads them: `0.4 ms`, `12 ms`, `1.3 s`; a dash where there is none. */
export function formatSeconds(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds >= 1) return `${seconds.toFixed(1)} s`;
  const milliseconds = seconds * 1000;
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

/** Requests a second. */
export function formatRate(rate: number | null | undefined): string {
  if (rate === null || rate === undefined) return "–";
  return rate.toFixed(rate > 0 && rate < 10 ? 1 : 0);
}
