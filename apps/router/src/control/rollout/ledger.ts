import {
  addEvidence,
  type Evidence,
  evidenceOf,
  mergeEvidence,
  NO_EVIDENCE,
  type PairRecord,
} from "../../core/evidence/evidence.ts";
import { FirstBad } from "../../core/evidence/first-bad.ts";
import { type Counts, countsOf, EMPTY_TALLY, type Tally, tallyGrowth } from "../../core/evidence/tally.ts";
import { TallyCounter } from "../../core/evidence/tally-counter.ts";
import type { Report } from "../../core/report.ts";
import {
  type BadUser,
  histogramGrowth,
  mergeHistograms,
  type RunReport,
  type StepHistogram,
} from "../../core/rollout/counting.ts";
import type { Digests, EvidenceSink } from "./ports.ts";

type Named<T> = Readonly<Record<string, T>>;

/** What a ledger saves: plain JSON. */
export interface SavedLedger {
  readonly book: readonly PairRecord[];
  /** What each run of a data plane had reported when this was saved: so much of its sums is in the book. */
  readonly runs: readonly RunReport[];
  /** Users whose first bad request is counted, of the pair that was judged last; by tally. */
  readonly users: { readonly pair: Digests; readonly seen: Named<readonly number[]> } | null;
  /** What the newest rollout itself has seen. */
  readonly own: OwnEvidence;
}

/** What one rollout has seen, without what was known of its pair before. */
export interface OwnEvidence {
  readonly evidence: Evidence;
  readonly histograms: Named<readonly StepHistogram[]>;
}

export const NOTHING_OWN: OwnEvidence = { evidence: NO_EVIDENCE, histograms: {} };
export const EMPTY_LEDGER: SavedLedger = { book: [], runs: [], users: null, own: NOTHING_OWN };

/** Runs of which it is remembered how much of them is booked. One that is gone never comes back. */
const RUNS_KEPT = 600;

/** Books what the data plane reports as evidence on a pair of versions, each request once. */
export class Ledger implements EvidenceSink {
  #book: readonly PairRecord[];
  #own: OwnEvidence;
  #pair: Digests | undefined;
  #rollout: string | undefined;
  readonly #runs: Map<string, RunReport>;
  readonly #users = new Map<string, FirstBad>();
  #usersOf: Digests | undefined;

  constructor({ book, runs, users, own }: SavedLedger = EMPTY_LEDGER) {
    this.#book = book;
    this.#own = own;
    this.#runs = new Map(runs.map((run) => [run.run, run]));
    this.#usersOf = users?.pair;
    for (const [tally, seen] of Object.entries(users?.seen ?? {})) {
      this.#users.set(tally, new FirstBad(undefined, seen));
    }
  }

  /** From now on this rollout is counted, on this pair. `anew`: it has just begun, and has seen nothing itself. */
  judge(rollout: string, pair: Digests, anew: boolean): void {
    this.#rollout = rollout;
    this.#pair = pair;
    if (anew) {
      this.#own = NOTHING_OWN;
      this.#runs.clear();
    }
    if (this.#usersOf && same(this.#usersOf, pair)) return;
    this.#users.clear(); // who had a bad request of another candidate says nothing of this one
    this.#usersOf = pair;
  }

  /** The stable color turned out to be another version, and a person went on: from now on it is another pair. */
  get pair(): Digests | undefined {
    return this.#pair;
  }

  /** All that is known of the pair, from this rollout and those before it. */
  get evidence(): Evidence {
    return this.#pair === undefined
      ? NO_EVIDENCE
      : evidenceOf(this.#book, this.#pair.candidate, this.#pair.stable);
  }

  get own(): OwnEvidence {
    return this.#own;
  }

  /** First attempts of the candidate that have ended in this rollout. */
  get requests(): number {
    return countsOf(this.#own.evidence.tallies.errors ?? EMPTY_TALLY, "candidate").requests;
  }

  /** Sums may come twice, late or never: what counts is how much they have grown. */
  onReport({ runs = [] }: Report): void {
    for (const run of runs) if (run.rollout === this.#rollout) this.#onRun(run);
  }

  #onRun(run: RunReport): void {
    const before = this.#runs.get(run.run);
    const tallies = mapped(run.tallies, (tally, name) =>
      tallyGrowth(before?.tallies[name] ?? EMPTY_TALLY, tally),
    );
    const histograms = mapped(run.histograms, (all, name) =>
      histogramGrowth(before?.histograms[name] ?? [], all),
    );
    this.#runs.delete(run.run); // the newest are last
    this.#runs.set(run.run, { ...run, users: {} });
    const oldest = this.#runs.keys().next().value!;
    if (this.#runs.size > RUNS_KEPT) this.#runs.delete(oldest);
    this.#own = { ...this.#own, histograms: added(this.#own.histograms, histograms) };
    this.#add({ tallies, pairs: {} });
    for (const [tally, users] of Object.entries(run.users)) this.#onUsers(tally, users);
  }

  /** With affinity only a user's first bad request counts, whichever process had it. */
  #onUsers(tally: string, users: readonly BadUser[]): void {
    const seen = this.#users.get(tally) ?? new FirstBad();
    this.#users.set(tally, seen);
    const counter = new TallyCounter();
    for (const { user, rho, candidate } of users) {
      if (seen.isFirst(user)) counter.add(rho, candidate, true);
    }
    this.#add({ tallies: { [tally]: counter.tally() }, pairs: {} });
  }

  record(
    pair: Digests,
    tally: string,
    at: { rho: number; candidate: boolean; bad: boolean; n?: number },
  ): void {
    if (!this.#pair || !same(this.#pair, pair)) return;
    const counter = new TallyCounter();
    counter.add(at.rho, at.candidate, at.bad, at.n ?? 1);
    this.#add({ tallies: { [tally]: counter.tally() }, pairs: {} });
  }

  pairs(pair: Digests, name: string, counts: Counts): void {
    if (this.#pair && same(this.#pair, pair)) this.#add({ tallies: {}, pairs: { [name]: counts } });
  }

  #add(growth: Evidence): void {
    if (this.#pair === undefined || isEmpty(growth)) return;
    const { candidate, stable } = this.#pair;
    this.#book = addEvidence(this.#book, candidate, stable, growth);
    this.#own = { ...this.#own, evidence: mergeEvidence([this.#own.evidence, growth]) };
  }

  toJSON(): SavedLedger {
    const seen = Object.fromEntries([...this.#users].map(([tally, users]) => [tally, users.toJSON()]));
    return {
      book: this.#book,
      runs: [...this.#runs.values()],
      users: this.#usersOf ? { pair: this.#usersOf, seen } : null,
      own: this.#own,
    };
  }
}

function same(a: Digests, b: Digests): boolean {
  return a.candidate === b.candidate && a.stable === b.stable;
}

function isEmpty({ tallies, pairs }: Evidence): boolean {
  const none = (tally: Tally) =>
    tally.leftOut === 0 && tally.strata.every((s) => s.candidate.requests + s.stable.requests === 0);
  return Object.values(tallies).every(none) && Object.keys(pairs).length === 0;
}

function mapped<T>(all: Named<T>, of: (value: T, name: string) => T): Named<T> {
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, of(value, name)]));
}

function added(
  before: Named<readonly StepHistogram[]>,
  growth: Named<readonly StepHistogram[]>,
): Named<readonly StepHistogram[]> {
  return {
    ...before,
    ...mapped(growth, (all, name) => mergeHistograms([before[name] ?? [], all])),
  };
}
