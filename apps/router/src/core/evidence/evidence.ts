import { addCounts, type Counts, EMPTY_TALLY, mergeTallies, NO_COUNTS, type Tally } from "./tally.ts";

/** Everything that a verdict is computed from. Plain JSON, and sums throughout: evidence of workers and machines adds. */
export interface Evidence {
  /**
   * By what was counted, such as `errors`, or `slow:250ms`: the limit belongs to the name, because counts by another limit
   * are other counts.
   */
  readonly tallies: Readonly<Record<string, Tally>>;
  /** Pairs of answers to one request: `agreement` (bad: they disagree), `truth` (bad: the candidate's error was larger). */
  readonly pairs: Readonly<Record<string, Counts>>;
}

export const NO_EVIDENCE: Evidence = { tallies: {}, pairs: {} };

export function mergeEvidence(all: readonly Evidence[]): Evidence {
  const names = (part: keyof Evidence) => [...new Set(all.flatMap((one) => Object.keys(one[part])))].sort();
  return {
    tallies: Object.fromEntries(
      names("tallies").map((name) => [
        name,
        mergeTallies(all.map((one) => one.tallies[name] ?? EMPTY_TALLY)),
      ]),
    ),
    pairs: Object.fromEntries(
      names("pairs").map((name) => [
        name,
        all.map((one) => one.pairs[name] ?? NO_COUNTS).reduce(addCounts, NO_COUNTS),
      ]),
    ),
  };
}

/** One pair of versions and what is known of it. */
export interface PairRecord {
  /** Digests. */
  readonly candidate: string;
  readonly stable: string;
  readonly evidence: Evidence;
}

/** Pairs of versions that are remembered. */
export const MAX_PAIRS = 32;

/**
 * What is known of a pair of versions, from this rollout and all before it: a rollout that could forget would roll any
 * candidate out that is tried often enough.
 */
export function evidenceOf(book: readonly PairRecord[], candidate: string, stable: string): Evidence {
  return book.find((pair) => pair.candidate === candidate && pair.stable === stable)?.evidence ?? NO_EVIDENCE;
}

/** The book with evidence added to a pair, which becomes its newest; beyond {@link MAX_PAIRS} the oldest go. */
export function addEvidence(
  book: readonly PairRecord[],
  candidate: string,
  stable: string,
  growth: Evidence,
): readonly PairRecord[] {
  const evidence = mergeEvidence([evidenceOf(book, candidate, stable), growth]);
  const others = book.filter((pair) => pair.candidate !== candidate || pair.stable !== stable);
  return [...others, { candidate, stable, evidence }].slice(-MAX_PAIRS);
}
