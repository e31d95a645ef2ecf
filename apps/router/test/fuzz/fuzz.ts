import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { escaped } from "./escape.ts";
import { mutated, type Recipe, recipe } from "./mutate.ts";

const { SLUICE_FUZZ_SEED, SLUICE_FUZZ_CASES } = process.env;

/** The same for every run of the tests, so that a change is judged by what it changes. `new`, for a hunt: a failure's message says it. */
export const SEED = SLUICE_FUZZ_SEED === "new" ? Date.now() | 0 : Number(SLUICE_FUZZ_SEED ?? 7);
/** Requests and answers together. */
export const CASES = Number(SLUICE_FUZZ_CASES ?? 200_000);

/** Between two rests of the event loop, in which Node's parsers are given back. */
const RUN = 64;

/** @returns whether the message was accepted. Throws where a property does not hold. */
export type Check = (bytes: Buffer, places: readonly number[], way: number) => Promise<boolean>;

export interface Tally {
  cases: number;
  accepted: number;
  readonly seconds: number;
}

/**
 * Checks mutated messages of a corpus, and cuts them at random places.
 * @throws Error with the smallest message found, escaped, and the seed
 */
export async function fuzz(messages: readonly Buffer[], cases: number, check: Check): Promise<Tally> {
  const tally = { cases: 0, accepted: 0 };
  const start = performance.now();
  const places = fc.array(fc.nat(2 ** 16 - 1), { maxLength: 8 });
  const property = fc.asyncProperty(recipe, places, fc.nat(255), async (made, cuts, way) => {
    const bytes = mutated(messages, made);
    if (++tally.cases % RUN === 0) await setImmediate();
    if (bytes.length > 0 && (await check(bytes, cuts, way))) tally.accepted++;
  });
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // Node makes an error for each message that it is not to answer
  const result = await fc.check(property, { numRuns: cases, seed: SEED });
  Error.stackTraceLimit = stackTraceLimit;
  if (result.failed) throw new Error(report(messages, result));
  return { ...tally, seconds: (performance.now() - start) / 1000 };
}

function report(
  messages: readonly Buffer[],
  { counterexample, errorInstance, numRuns }: fc.RunDetails<[Recipe, number[], number]>,
): string {
  if (!counterexample) return `fast-check gave up (SLUICE_FUZZ_SEED=${SEED})`;
  const [made, cuts, way] = counterexample;
  return [
    String(errorInstance),
    `message: ${escaped(mutated(messages, made))}`,
    `cut at: ${cuts.join(" ")} (modulo its length), way ${way}`,
    `again: SLUICE_FUZZ_SEED=${SEED}, found after ${numRuns} cases`,
  ].join("\n");
}
