/** Errors of one target that were reported at one time. */
export interface ErrorCount {
  /** Milliseconds. */
  readonly at: number;
  readonly errors: number;
}

/** The counts that are still within the window; older ones are forgotten. */
export function within(counts: readonly ErrorCount[], now: number, window: number): readonly ErrorCount[] {
  return counts.filter(({ at }) => now - at < window);
}

export function totalErrors(counts: readonly ErrorCount[]): number {
  return counts.reduce((sum, { errors }) => sum + errors, 0);
}

/** How many of `total` targets may sit out at once: a share rounded down, but always one. */
export function mayBeEjected(total: number, maxEjected: number): number {
  return Math.max(1, Math.floor(total * maxEjected));
}

/** What a cumulative counter grew by. A counter that went down began anew with its worker. */
export function growth(before: number | undefined, now: number): number {
  return before === undefined || now < before ? now : now - before;
}
