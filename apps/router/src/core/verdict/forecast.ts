import { logMeanExp } from "../evidence/log-math.ts";
import { duration, plural } from "./numbers.ts";
import type { Weighed } from "./weigh.ts";

/** About how much longer, if things stay as they are. */
export interface Forecast {
  readonly requests: number;
  readonly unit: "requests" | "pairs";
  /** At the present rate; undefined when none is known. */
  readonly minutes: number | undefined;
}

/** Further than this nobody looks ahead. */
const FAR = 1e9;

/**
 * How many more requests until the evidence reaches ln `target`, when each part goes on growing as the observed rates
 * make it grow. 0 when it has; undefined when no verdict is in sight: no data, or rates under which no part grows.
 */
export function requestsUntil({ parts, growth }: Weighed, target: number): number | undefined {
  const after = (n: number) => logMeanExp(parts.map((part, k) => part + n * growth![k]!));
  if (logMeanExp(parts) >= target) return 0;
  if (growth === undefined || Math.max(...growth) <= 0) return undefined;
  let [low, high] = [0, 1];
  while (after(high) < target) {
    low = high;
    high *= 2;
    if (high > FAR) return undefined;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (after(middle) < target) low = middle;
    else high = middle;
  }
  return high;
}

export function forecast(
  weighed: Weighed,
  target: number,
  perMinute: number | undefined,
): Forecast | undefined {
  const requests = requestsUntil(weighed, target);
  if (requests === undefined) return undefined;
  const minutes = perMinute !== undefined && perMinute > 0 ? requests / perMinute : undefined;
  return { requests, unit: weighed.unit, minutes };
}

/** "about 1,240 more requests (3 minutes)". */
export function forecastText({ requests, unit, minutes }: Forecast): string {
  const count = plural(roughly(requests), unit === "pairs" ? "more pair" : "more request");
  return `about ${count}${minutes === undefined ? "" : ` (${duration(minutes)})`}`;
}

/** Two digits: more would claim what a forecast does not know. */
function roughly(n: number): number {
  return Number(n.toPrecision(2));
}
