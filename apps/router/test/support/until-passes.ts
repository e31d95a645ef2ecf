import { vi } from "vitest";

/** Resolves once nothing that `check` expects fails any more; rejects with what still does after ten seconds. */
export function untilPasses<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 10_000, interval: 5 });
}
