import { FirstBad } from "../../core/evidence/first-bad.ts";
import type { FeedbackMemory } from "../../core/feedback/memory.ts";
import type { Remembered, Trial } from "../../core/feedback/remembered.ts";
import type { Served } from "../../core/feedback/served.ts";
import type { TallySpec } from "../../core/rollout/counting.ts";
import type { Identity } from "../../core/rollout/state.ts";
import type { EvidenceSink } from "../rollout/ports.ts";

/** The rollout that is judged now. */
export interface Judged {
  readonly candidate: Identity;
  readonly stable: Identity;
  /** What it counts. */
  readonly tallies: readonly TallySpec[];
}

export interface TruthEvidenceOptions {
  readonly judged: () => Judged | undefined;
  readonly sink: () => EvidenceSink;
}

/** Pairs of errors on the same trips. */
export const TRUTH_PAIRS = "truth";
/** Kind of the tallies that count errors above a limit: `truth:LIMIT`. */
export const TRUTH_KIND = "truth";

/**
 * Makes evidence of delayed truth: of each request once, whenever its actual values come. Errors above the limit count at the weight
 * that the request was assigned under; of pairs counts which error is the larger, and ties do not.
 */
export class TruthEvidence {
  readonly #options: TruthEvidenceOptions;
  readonly #memory: FeedbackMemory;
  /** With affinity: users whose first error above a limit has been counted, by tally. */
  #users = new Map<string, FirstBad>();
  #pair = "";

  constructor(options: TruthEvidenceOptions, memory: FeedbackMemory) {
    this.#options = options;
    this.#memory = memory;
  }

  /** The part of a request in the rollout in force; undefined where it has none, or another version answered. */
  trialOf({ color, digest, rho }: Served): Trial | undefined {
    const judged = this.#options.judged();
    if (judged === undefined || rho === undefined || !(rho > 0 && rho < 1)) return undefined;
    const { candidate, stable } = judged;
    const own = [candidate, stable].find((identity) => identity.color === color);
    if (own === undefined || own.digest !== digest) return undefined;
    return { rho, candidate: candidate.digest, stable: stable.digest, isCandidate: own === candidate };
  }

  /** Counts a request's error, which has just become known. */
  error({ trial, user, error }: Remembered): void {
    const { judged, sink } = this.#options;
    if (trial === undefined || error === undefined || !isOf(trial, judged())) return;
    const { rho, isCandidate: candidate } = trial;
    for (const { name, limit } of this.#limits()) {
      const bad = error > limit;
      if (bad && user !== undefined && this.#users.get(name)?.isFirst(user) === false) continue;
      sink().record(trial, name, { rho, candidate, bad });
    }
  }

  /** Whether this pair is evidence now; it is to be marked as booked before {@link book} is called. */
  mayBook({ pair, booked, digest, copy }: Remembered): boolean {
    const judged = this.#options.judged();
    if (booked || pair === undefined || judged === undefined) return false;
    const versions = [digest, copy!.digest];
    return [judged.candidate, judged.stable].every((one) => versions.includes(one.digest));
  }

  book({ pair, digest }: Remembered): void {
    const { judged, sink } = this.#options;
    const now = judged();
    if (now === undefined || pair === undefined || pair.main === pair.shadow) return;
    const mainIsCandidate = digest === now.candidate.digest;
    const lost = mainIsCandidate ? pair.main > pair.shadow : pair.shadow > pair.main;
    const digests = { candidate: now.candidate.digest, stable: now.stable.digest };
    sink().pairs(digests, TRUTH_PAIRS, { requests: 1, bad: lost ? 1 : 0 });
  }

  /**
   * To be called often. True when another rollout is judged than before: then pairs that were known before it are to be booked.
   */
  turned(): boolean {
    const judged = this.#options.judged();
    const pair = judged
      ? JSON.stringify([judged.candidate.digest, judged.stable.digest, judged.tallies])
      : "";
    if (pair === this.#pair) return false;
    this.#pair = pair;
    this.#users = new Map(this.#limits().map(({ name, limit }) => [name, this.#seen(limit)]));
    return judged !== undefined;
  }

  /** Users who are counted already, as far as they are remembered. */
  #seen(limit: number): FirstBad {
    const seen = new FirstBad();
    const judged = this.#options.judged();
    for (const { trial, user, error } of this.#memory.requests()) {
      if (user !== undefined && error !== undefined && error > limit && isOf(trial, judged))
        seen.isFirst(user);
    }
    return seen;
  }

  #limits(): { readonly name: string; readonly limit: number }[] {
    const tallies = this.#options.judged()?.tallies ?? [];
    const own = tallies.filter(({ kind }) => kind === TRUTH_KIND);
    return own.map(({ name, parameters }) => ({ name, limit: Number(parameters?.limit) }));
  }
}

function isOf(trial: Trial | undefined, judged: Judged | undefined): boolean {
  if (trial === undefined || judged === undefined) return false;
  return trial.candidate === judged.candidate.digest && trial.stable === judged.stable.digest;
}
