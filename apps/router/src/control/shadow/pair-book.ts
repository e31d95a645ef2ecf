import { mergePairReports, NO_PAIR_REPORT, type PairReport } from "../../core/shadow/pairs.ts";
import type { PairRun } from "../../core/shadow/view.ts";

/** Pairs of versions that are remembered. */
const MOST_KEPT = 8;

/**
 * What is known of pairs of versions. It belongs to their digests: a shadow that is started again goes on where it was, and one
 * of another version begins anew.
 */
export class PairKeeper {
  readonly #kept = new Map<string, PairReport>();
  /** By run: the newest report of each data-plane process for the shadow that runs. */
  readonly #runs = new Map<string, PairReport>();
  #key: string | undefined;
  #id: string | undefined;

  /** A shadow begins. @param key of its pair of versions */
  begin(id: string, key: string): void {
    this.end();
    this.#id = id;
    this.#key = key;
  }

  note({ id, run, pairs }: PairRun): void {
    if (id === this.#id) this.#runs.set(run, pairs);
  }

  /** The shadow ends; what was found stays known. */
  end(): void {
    if (this.#key !== undefined) this.put(this.#key, this.#all());
    this.#runs.clear();
    this.#id = undefined;
    this.#key = undefined;
  }

  /** Everything that is known of a pair. */
  of(key: string): PairReport {
    return key === this.#key ? this.#all() : (this.#kept.get(key) ?? NO_PAIR_REPORT);
  }

  put(key: string, report: PairReport): void {
    this.#kept.delete(key);
    this.#kept.set(key, report);
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
  }

  /** By key, for whoever saves them. */
  all(): [string, PairReport][] {
    const keys = new Set([...this.#kept.keys(), ...(this.#key === undefined ? [] : [this.#key])]);
    return [...keys].map((key) => [key, this.of(key)]);
  }

  #all(): PairReport {
    const before = this.#kept.get(this.#key!) ?? NO_PAIR_REPORT;
    return mergePairReports([before, ...this.#runs.values()], MOST_WORST);
  }
}

/** More than any configuration lets a worker keep. */
const MOST_WORST = 100;
