import { setTimeout as pause } from "node:timers/promises";
import { CliError } from "../errors.ts";

export interface Patience {
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly timeout: number;
  /** Milliseconds between two looks. @default 100 */
  readonly every?: number;
}

/**
 * Looks again and again until there is something to see.
 * @param look what was waited for; undefined: not yet. What it throws ends the waiting
 * @param late what to say when time is up
 * @throws CliError time is up, or what `signal` was aborted with
 */
export async function until<T>(
  look: () => Promise<T | undefined>,
  late: () => string,
  { signal, timeout, every = 100 }: Patience,
): Promise<T> {
  const deadline = performance.now() + timeout;
  for (;;) {
    signal.throwIfAborted();
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() >= deadline) throw new CliError(late());
    await pause(every, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
