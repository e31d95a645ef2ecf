import { logMeanExp } from "../../src/core/evidence/log-math.ts";
import { logRelative, relativeSteps } from "../../src/core/evidence/relative-rate.ts";
import { TallyCounter } from "../../src/core/evidence/tally-counter.ts";
import { type Judgement, type RollbackGuard, rateGuard, thresholdOf } from "../../src/core/verdict/guards.ts";
import { judge } from "../../src/core/verdict/verdict.ts";
import { REQUESTS } from "./releases.ts";

/** A way to decide: it is shown one request after the other and says when it rolls back. */
export interface Rule {
  /** True when it rolls back now. */
  see(request: number, rho: number, candidate: boolean, bad: boolean): boolean;
  /** Called when a release ends without a rollback, at its last weight. */
  confirm?(rho: number): void;
}

export function judgementOf(guards: readonly RollbackGuard[]): Judgement {
  return { rollback: guards, promotion: [], alpha: 0.01, alphaPromotion: 0.05 };
}

interface Steps {
  readonly candidate: Float64Array;
  readonly stable: Float64Array;
}

/**
 * The router's own rule for one guard of a judgement. Its sums are carried along, because to compute them anew after each of the
 * simulations' millions of requests takes minutes; that nothing else comes out of it is checked with each release.
 */
export class EvidenceRule implements Rule {
  readonly #counter = new TallyCounter();
  readonly #judgement: Judgement;
  readonly #guard: Extract<RollbackGuard, { kind: "relative" }>;
  readonly #limit: number;
  readonly #parts: Float64Array;
  readonly #steps = new Map<number, Steps>();

  constructor(judgement: Judgement, name: string) {
    const guard = judgement.rollback.find((one) => one.name === name);
    if (guard?.kind !== "relative") throw new Error(`No relative guard ${name}`);
    this.#judgement = judgement;
    this.#guard = guard;
    this.#limit = Math.log(thresholdOf(judgement, "rollback"));
    this.#parts = new Float64Array(guard.ratios.length);
  }

  see(_: number, rho: number, candidate: boolean, bad: boolean): boolean {
    if (!bad) return false;
    this.#counter.add(rho, candidate, true);
    const steps = this.#stepsAt(rho)[candidate ? "candidate" : "stable"];
    for (let k = 0; k < steps.length; k++) this.#parts[k]! += steps[k]!;
    // the stable color's bad requests only ever lower the evidence
    if (!candidate || logMeanExp(this.#parts) < this.#limit) return false;
    this.confirm(rho);
    return true;
  }

  /** As the router computes it, from counts. */
  log(): number {
    return logRelative(this.#counter.tally(), this.#guard);
  }

  /** Throws unless evidence and verdict on the same counts are what was carried along. */
  confirm(rho: number): void {
    const carried = logMeanExp(this.#parts);
    if (!(Math.abs(this.log() - carried) < 1e-9))
      throw new Error(`Evidence differs: ${carried}, ${this.log()}`);
    const evidence = { tallies: { [this.#guard.tally]: this.#counter.tally() }, pairs: {} };
    const { decision, guard } = judge(evidence, this.#judgement, { rho });
    const back = decision === "rollback" && guard === this.#guard.name;
    if (back !== carried >= this.#limit) throw new Error(`The verdict differs: ${decision}`);
  }

  #stepsAt(rho: number): Steps {
    let steps = this.#steps.get(rho);
    if (steps === undefined) {
      const all = this.#guard.ratios.map((ratio) => relativeSteps(rho, this.#guard.phi0, ratio));
      steps = {
        candidate: Float64Array.from(all, ({ candidate }) => candidate),
        stable: Float64Array.from(all, ({ stable }) => stable),
      };
      this.#steps.set(rho, steps);
    }
    return steps;
  }
}

export const ONE = judgementOf([rateGuard("errors")]);
export const FOUR = judgementOf([
  rateGuard("errors"),
  rateGuard("slow", "slow", 1.2),
  rateGuard("rejected"),
  rateGuard("invalid"),
]);

/** Looks of a rule that looks now and then: one a minute, were a release to take an hour. */
export const LOOKS = 60;
const INTERVAL = REQUESTS / LOOKS;

/** The usual two-sample test at 5 %, one-sided, on all counts so far, at every look. */
export class ZTest implements Rule {
  readonly #counts = new Float64Array(4);

  see(request: number, _: number, candidate: boolean, bad: boolean): boolean {
    const at = candidate ? 2 : 0;
    this.#counts[at]! += 1;
    if (bad) this.#counts[at + 1]! += 1;
    return (request + 1) % INTERVAL === 0 && this.#z() > 1.6448536269514722;
  }

  #z(): number {
    const [n, x, m, y] = this.#counts as unknown as [number, number, number, number];
    const pooled = (x + y) / (n + m);
    const error = Math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
    return n > 0 && m > 0 && error > 0 ? (y / m - x / n) / error : 0;
  }
}

/**
 * A fixed limit on the candidate's success rate in each interval, and a number of failed checks that ends the rollout: Flagger's
 * rule (`threshold` 5), and Argo Rollouts' (more than `failureLimit`, 0 by default, so the first). An interval without requests of
 * the candidate's is no check.
 */
export class ThresholdRule implements Rule {
  readonly #least: number;
  readonly #failures: number;
  #requests = 0;
  #bad = 0;
  #failed = 0;

  constructor(least: number, failures: number) {
    this.#least = least;
    this.#failures = failures;
  }

  see(request: number, _: number, candidate: boolean, bad: boolean): boolean {
    if (candidate) {
      this.#requests++;
      if (bad) this.#bad++;
    }
    if ((request + 1) % INTERVAL !== 0) return false;
    if (this.#requests > 0 && 1 - this.#bad / this.#requests < this.#least) this.#failed++;
    this.#requests = 0;
    this.#bad = 0;
    return this.#failed >= this.#failures;
  }
}

export const RULES: Readonly<Record<string, () => Rule>> = {
  "Sluice, one guard": () => new EvidenceRule(ONE, "errors"),
  "z-test at 5 %, 60 looks": () => new ZTest(),
  "Flagger, 99 %": () => new ThresholdRule(0.99, 5),
  "Flagger, 95 %": () => new ThresholdRule(0.95, 5),
  "Argo, 99 %": () => new ThresholdRule(0.99, 1),
  "Argo, 95 %": () => new ThresholdRule(0.95, 1),
};
