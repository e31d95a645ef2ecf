import { randomUUID } from "node:crypto";
import { userHash } from "../../core/affinity.ts";
import { stratumOf } from "../../core/evidence/tally.ts";
import { TallyCounter } from "../../core/evidence/tally-counter.ts";
import type { BadUser, RolloutView, RunReport, StepHistogram } from "../../core/rollout/counting.ts";
import type { Snapshot } from "../../core/snapshot.ts";

/** Users with a bad request that one data plane remembers for each tally: enough for what comes between two reports. */
const USERS_KEPT = 1000;
/** Different weights whose latencies are kept apart. */
const MAX_STEPS = 64;

interface Cells {
  readonly candidate: number[];
  readonly stable: number[];
}

/** All that one data plane counts for one rollout, over all snapshots in which it runs. */
export class RolloutCounter {
  readonly id: string;
  readonly #run = randomUUID();
  readonly #tallies = new Map<string, TallyCounter>();
  readonly #histograms = new Map<string, Map<number, Cells>>();
  readonly #users = new Map<string, Map<number, BadUser>>();

  constructor(id: string) {
    this.id = id;
  }

  tally(name: string): TallyCounter {
    let tally = this.#tallies.get(name);
    if (tally === undefined) {
      tally = new TallyCounter();
      this.#tallies.set(name, tally);
    }
    return tally;
  }

  /** A bad request of the user with this affinity key. */
  badUser(name: string, key: string, rho: number, candidate: boolean): void {
    const users = this.#users.get(name) ?? new Map<number, BadUser>();
    this.#users.set(name, users);
    const user = userHash(key);
    if (users.has(user)) return;
    users.set(user, { user, rho: stratumOf(rho), candidate });
    if (users.size > USERS_KEPT) users.delete(users.keys().next().value!);
  }

  /** The cells of a histogram of `length` buckets at a weight; undefined when there are too many weights already. */
  cells(name: string, rho: number, length: number): Cells | undefined {
    const steps = this.#histograms.get(name) ?? new Map<number, Cells>();
    this.#histograms.set(name, steps);
    const at = stratumOf(rho);
    let cells = steps.get(at);
    if (cells === undefined && steps.size < MAX_STEPS) {
      const empty = () => Array.from({ length }, () => 0);
      cells = { candidate: empty(), stable: empty() };
      steps.set(at, cells);
    }
    return cells;
  }

  report(): RunReport {
    const named = <A, B>(map: ReadonlyMap<string, A>, of: (value: A) => B) =>
      Object.fromEntries([...map].map(([name, value]) => [name, of(value)]));
    return {
      run: this.#run,
      rollout: this.id,
      tallies: named(this.#tallies, (tally) => tally.tally()),
      histograms: named(this.#histograms, (steps) => [...steps].map(stepHistogram)),
      users: named(this.#users, (users) => [...users.values()]),
    };
  }
}

function stepHistogram([rho, { candidate, stable }]: [number, Cells]): StepHistogram {
  return { rho, candidate: [...candidate], stable: [...stable] };
}

/** The candidate's share of what the two colors of a rollout are assigned; undefined where neither has weight. */
export function rhoOf(snapshot: Snapshot, { candidate, stable }: RolloutView): number | undefined {
  const share = (name: string) => snapshot.colors.find((color) => color.name === name)?.share ?? 0;
  const both = share(candidate) + share(stable);
  return both > 0 ? share(candidate) / both : undefined;
}
