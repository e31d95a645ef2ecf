import { checkCount, checkShare } from "./check.ts";
import type { Tally } from "./tally.ts";

/** Recorded evidence, one object a line: what `sluice replay` reads and an exported release holds. */
export interface EvidenceLine {
  readonly guard: string;
  /** The candidate's weight at assignment, 0 to 1. */
  readonly rho: number;
  /** Whether the candidate was assigned the request. */
  readonly candidate: boolean;
  readonly bad: boolean;
  /** How many such requests. */
  readonly n: number;
}

/**
 * Checks one parsed line. Unknown keys are left alone: a record may say more than a verdict needs.
 * @throws RangeError that names the key and says what was expected
 */
export function readLine(value: unknown): EvidenceLine {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RangeError(
      'It is not an object; expected one like {"rho":0.05,"candidate":true,"bad":true,"guard":"errors"}.',
    );
  }
  const { guard, rho, candidate, bad, n = 1 } = value as Record<string, unknown>;
  if (typeof guard !== "string" || guard === "") throw wrong("guard", guard, "a name");
  if (typeof candidate !== "boolean") throw wrong("candidate", candidate, "true or false");
  if (typeof bad !== "boolean") throw wrong("bad", bad, "true or false");
  if (typeof rho !== "number") throw wrong("rho", rho, "a number from 0 to 1");
  if (typeof n !== "number") throw wrong("n", n, "a whole number of at least 0");
  return { guard, rho: checkShare(rho, '"rho"'), candidate, bad, n: checkCount(n, '"n"') };
}

function wrong(key: string, value: unknown, expected: string): RangeError {
  const shown = value === undefined ? "missing" : JSON.stringify(value);
  return new RangeError(`"${key}" is ${shown}; expected ${expected}.`);
}

/** A tally as lines from which a replay computes the same evidence. Order is not kept: the evidence does not depend on it. */
export function toLines(guard: string, tally: Tally): EvidenceLine[] {
  return tally.strata
    .flatMap(({ rho, candidate, stable }) => [
      { guard, rho, candidate: true, bad: true, n: candidate.bad },
      { guard, rho, candidate: true, bad: false, n: candidate.requests - candidate.bad },
      { guard, rho, candidate: false, bad: true, n: stable.bad },
      { guard, rho, candidate: false, bad: false, n: stable.requests - stable.bad },
    ])
    .filter(({ n }) => n > 0);
}
