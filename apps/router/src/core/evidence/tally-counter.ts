import { checkCount } from "./check.ts";
import { MAX_STRATA, mergeTallies, stratumOf, type Tally } from "./tally.ts";

interface Cell {
  readonly rho: number;
  requests: number;
  bad: number;
  stableRequests: number;
  stableBad: number;
}

/** A tally that is counted into: where the data plane, a replay and the simulations add one request after the other. */
export class TallyCounter {
  readonly #cells = new Map<number, Cell>();
  #leftOut = 0;
  #last: { readonly given: number; readonly cell: Cell | undefined } | undefined;

  /**
   * Books `n` requests that were assigned while the candidate had the weight `rho` (0 to 1).
   * @throws RangeError for a weight or number that is none; nothing is booked then
   */
  add(rho: number, candidate: boolean, bad: boolean, n = 1): void {
    if (n !== 1) checkCount(n, "n");
    const cell = this.#cell(rho);
    if (cell === undefined) this.#leftOut += n;
    else if (candidate) {
      cell.requests += n;
      if (bad) cell.bad += n;
    } else {
      cell.stableRequests += n;
      if (bad) cell.stableBad += n;
    }
  }

  tally(): Tally {
    const strata = [...this.#cells.values()].map((cell) => ({
      rho: cell.rho,
      candidate: { requests: cell.requests, bad: cell.bad },
      stable: { requests: cell.stableRequests, bad: cell.stableBad },
    }));
    return mergeTallies([{ strata, leftOut: this.#leftOut }]);
  }

  #cell(given: number): Cell | undefined {
    if (this.#last?.given === given) return this.#last.cell;
    const rho = stratumOf(given);
    let cell = this.#cells.get(rho);
    if (cell === undefined && this.#cells.size < MAX_STRATA) {
      cell = { rho, requests: 0, bad: 0, stableRequests: 0, stableBad: 0 };
      this.#cells.set(rho, cell);
    }
    this.#last = { given, cell };
    return cell;
  }
}
