import { createReadStream } from "node:fs";
import type { Evidence } from "../../core/evidence/evidence.ts";
import { type EvidenceLine, readLine } from "../../core/evidence/lines.ts";
import { TallyCounter } from "../../core/evidence/tally-counter.ts";
import {
  ALPHA_PROMOTION,
  type Judgement,
  type RollbackGuard,
  rateGuard,
  shiftGuard,
} from "../../core/verdict/guards.ts";
import { type Reading, readGuard } from "../../core/verdict/reading.ts";
import { CliError } from "../errors.ts";
import { TooLongError, textLines } from "./text-lines.ts";

/** Different guards in one file; a release has a handful. */
const MOST_GUARDS = 1000;
/** Tolerated ratio of the rates where neither the file nor the user says another. */
const SLOW_PHI0 = 1.2;

export interface ReplayOptions {
  readonly alpha: number;
  readonly phi0: number | undefined;
}

export interface Replayed {
  /** By name of the guard, in the order of their first lines. */
  readonly readings: readonly Reading[];
  /** Requests at more different weights than a tally tells apart. */
  readonly leftOut: number;
}

/**
 * What a file of evidence amounts to. Lines are read one by one, so that its size does not matter.
 * @param path `-` is standard input
 * @throws CliError that names the file, the line and what was expected
 */
export async function readEvidence(path: string, options: ReplayOptions): Promise<Replayed> {
  const name = path === "-" ? "standard input" : path;
  const counters = new Map<string, TallyCounter>();
  let number = 0;
  try {
    for await (const text of textLines(path === "-" ? process.stdin : createReadStream(path))) {
      number++;
      if (text.trim() !== "") add(counters, parse(text));
    }
  } catch (error) {
    if (error instanceof RangeError || error instanceof TooLongError)
      throw new CliError(
        `${name}, line ${error instanceof TooLongError ? number + 1 : number}: ${error.message}`,
      );
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError(`${name} cannot be read (${code ?? message}).`);
  }
  return weigh(counters, options);
}

function parse(text: string): EvidenceLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RangeError(
      'It is not JSON; expected an object like {"rho":0.05,"candidate":true,"bad":true,"guard":"errors"}.',
    );
  }
  return readLine(value);
}

function add(counters: Map<string, TallyCounter>, { guard, rho, candidate, bad, n }: EvidenceLine): void {
  let counter = counters.get(guard);
  if (counter === undefined) {
    if (counters.size === MOST_GUARDS)
      throw new RangeError(`It names the ${MOST_GUARDS + 1}st guard; expected at most ${MOST_GUARDS}.`);
    counter = new TallyCounter();
    counters.set(guard, counter);
  }
  counter.add(rho, candidate, bad, n);
}

function weigh(counters: ReadonlyMap<string, TallyCounter>, { alpha, phi0 }: ReplayOptions): Replayed {
  const tallies = Object.fromEntries([...counters].map(([name, counter]) => [name, counter.tally()]));
  const evidence: Evidence = { tallies, pairs: {} };
  const rollback = [...counters.keys()].map((name) => guardOf(name, phi0));
  const judgement: Judgement = { rollback, promotion: [], alpha, alphaPromotion: ALPHA_PROMOTION };
  return {
    readings: rollback.map((guard) => readGuard(guard, "rollback", evidence, judgement, { rho: 0 })),
    leftOut: Object.values(tallies).reduce((sum, tally) => sum + tally.leftOut, 0),
  };
}

/** What a guard of this name bets on: a shift of predictions is small where it matters. Any other name is a rate. */
function guardOf(name: string, phi0: number | undefined): RollbackGuard {
  if (/^predictions (high|low)\b/.test(name))
    return { ...shiftGuard(name), ...(phi0 === undefined ? {} : { phi0 }) };
  return rateGuard(name, name, phi0 ?? (/^slow\b/.test(name) ? SLOW_PHI0 : 1));
}
