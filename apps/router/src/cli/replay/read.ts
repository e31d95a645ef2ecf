import { createReadStream } from "node:fs";
import type { Evidence } from "../../core/evidence/evidence.ts";
import { TallyCounter } from "../../core/evidence/tally-counter.ts";
import { type AuditLine, type GuardOptions, guardOf, readAuditLine } from "../../core/verdict/audit.ts";
import { ALPHA, ALPHA_PROMOTION, type Judgement } from "../../core/verdict/guards.ts";
import { type Reading, readGuard } from "../../core/verdict/reading.ts";
import { breachBy } from "../../core/verdict/verdict.ts";
import { CliError } from "../errors.ts";
import { TooLongError, textLines } from "../text-lines.ts";

/** Different guards in one file; a release has a handful. */
const MOST_GUARDS = 1000;
const HOLD = { decision: "hold" } as const;

/** What the user says goes before what the file says. */
export interface ReplayOptions {
  readonly alpha: number | undefined;
  readonly phi0: number | undefined;
}

interface Counted {
  readonly counter: TallyCounter;
  readonly said: GuardOptions;
}

/** A guard's reading with what the router makes of it. */
export interface Replay extends Reading {
  readonly verdict: "rollback" | "pause" | "hold";
}

export interface Replayed {
  /** By name of the guard, in the order of their first lines. */
  readonly readings: readonly Replay[];
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
  const counters = new Map<string, Counted>();
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

function parse(text: string): AuditLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RangeError(
      'It is not JSON; expected an object like {"rho":0.05,"candidate":true,"bad":true,"guard":"errors"}.',
    );
  }
  return readAuditLine(value);
}

function add(counters: Map<string, Counted>, line: AuditLine): void {
  const { guard, rho, candidate, bad, n, ...options } = line;
  const known = counters.get(guard);
  if (known === undefined && counters.size === MOST_GUARDS)
    throw new RangeError(`It names the ${MOST_GUARDS + 1}st guard; expected at most ${MOST_GUARDS}.`);
  const said = { ...known?.said, ...options };
  const counter = known?.counter ?? new TallyCounter();
  counters.set(guard, { counter, said });
  counter.add(rho, candidate, bad, n);
}

function weigh(counters: ReadonlyMap<string, Counted>, { alpha, phi0 }: ReplayOptions): Replayed {
  const tallies = Object.fromEntries([...counters].map(([name, { counter }]) => [name, counter.tally()]));
  const evidence: Evidence = { tallies, pairs: {} };
  const rollback = [...counters].map(([name, { said }]) =>
    guardOf(name, phi0 === undefined ? said : { ...said, phi0 }),
  );
  const risk = alpha ?? [...counters.values()].find(({ said }) => said.alpha)?.said.alpha ?? ALPHA;
  const judgement: Judgement = { rollback, promotion: [], alpha: risk, alphaPromotion: ALPHA_PROMOTION };
  return {
    readings: rollback.map((guard) => {
      const reading = readGuard(guard, "rollback", evidence, judgement, { rho: 0 });
      const { decision: verdict } = reading.reached ? breachBy(reading, evidence, judgement) : HOLD;
      return { ...reading, verdict };
    }),
    leftOut: Object.values(tallies).reduce((sum, tally) => sum + tally.leftOut, 0),
  };
}
