/** Predictions that one look at the percentile is over. */
const WINDOW = 20;

export interface WarmUp {
  /** Milliseconds that the 95th percentile of the last predictions must come below. */
  readonly p95: number;
  /** Milliseconds after which it is given up. */
  readonly timeout: number;
}

export interface Warmth {
  readonly warm: boolean;
  /** Predictions that were asked for. */
  readonly requests: number;
  /** Milliseconds, of the last ones. */
  readonly p95: number;
}

/**
 * Asks for one prediction after another until the last ones were quick, or time is up.
 * @param ask asks for the prediction of a number, from 0; its rejection ends it
 * @param least how many there are in any case
 */
export async function warmUp(
  ask: (i: number) => Promise<unknown>,
  { p95, timeout }: WarmUp,
  least = WINDOW,
): Promise<Warmth> {
  const deadline = performance.now() + timeout;
  const times: number[] = [];
  for (let i = 0; ; i++) {
    const begun = performance.now();
    await ask(i);
    times.push(performance.now() - begun);
    if (times.length < Math.max(1, least)) continue;
    const seen = percentile95(times.slice(-WINDOW));
    if (seen <= p95) return { warm: true, requests: times.length, p95: seen };
    if (performance.now() >= deadline) return { warm: false, requests: times.length, p95: seen };
  }
}

const percentile95 = (times: readonly number[]): number =>
  times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1]!;
