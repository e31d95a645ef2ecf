import type { Reference } from "../../core/evidence/prediction-drift.ts";
import type { Counts } from "../../core/evidence/tally.ts";
import type { TallySpec } from "../../core/rollout/counting.ts";
import type { Moment } from "../../core/rollout/plan.ts";
import type { Identity } from "../../core/rollout/state.ts";
import type { PromotionGuard, RollbackGuard } from "../../core/verdict/guards.ts";

/** What a rollout asks of the rest of the control plane. */

/** Whether the candidate is to answer as the stable color does, or better. */
export type Expect = "same" | "better";

/** What gates, hooks and guards may know of a rollout. */
export interface RolloutContext {
  readonly id: string;
  readonly candidate: Identity;
  readonly stable: Identity;
  readonly expect: Expect;
  /** Who started it, and why. */
  readonly by: string;
  readonly reason: string;
  /** URLs of a color's targets, as they are now. */
  readonly targets: (color: string) => readonly string[];
}

/** How a gate or a hook ended. */
export interface Ended {
  readonly ok: boolean;
  /** A sentence for people, with the arithmetic where there is some. */
  readonly detail: string;
}

/**
 * Something that must be so before the candidate gets its first request: golden rows, schema, warm-up, identity, a
 * certificate of the shadow. A rollout names those that it wants, or gets those that are `usual`.
 */
export interface Gate {
  /** As a rollout names it: `golden`, `shadow`. */
  readonly name: string;
  /** Whether a rollout that names none has it. */
  usual(expect: Expect): boolean;
  /**
   * Asked again every second while it says "waiting". Has its own time-out; a rejection counts as not ok. After a restart of the
   * router in this phase it is asked anew.
   */
  check(context: RolloutContext, signal: AbortSignal): Promise<Ended | { readonly waiting: string }>;
}

/** Commands and calls of the configuration file, run by name. */
export interface Hooks {
  readonly names: readonly string[];
  /** Has its own time-out; a rejection counts as not ok. After a restart of the router it may run again. */
  run(
    name: string,
    moment: Moment,
    context: RolloutContext & { readonly phase: string; readonly share: number },
    signal: AbortSignal,
  ): Promise<Ended>;
}

/** No hook is configured: a rollout that names one is refused before it gets here. */
export const NO_HOOKS: Hooks = {
  names: [],
  run: async (name) => ({ ok: false, detail: `no hook ${name} is configured` }),
};

/** What one guard of a rollout is made of. */
export interface MadeGuard {
  readonly rollback?: readonly RollbackGuard[];
  readonly promotion?: readonly PromotionGuard[];
  /** What the data plane has to count for it. */
  readonly tallies?: readonly TallySpec[];
}

export interface GuardContext {
  readonly expect: Expect;
  readonly candidate: Identity;
  readonly stable: Identity;
  /** Milliseconds; what was asked for, else the stable color's 95th percentile of late; undefined where too little is known. */
  readonly slowAfter: number | undefined;
  /** The stable color's predictions of late, frozen now; undefined where too little is known. */
  readonly reference: Reference | undefined;
  /** Whether predictions are read out of answers. */
  readonly predictions: boolean;
}

/** One key of a rollout's `guards`: `errors`, `slow`, … */
export interface GuardKind {
  readonly name: string;
  /** Whether a rollout that names no guards has it. */
  usual(context: GuardContext): boolean;
  /**
   * The guard with its options as they were asked for (`{}` where there are none).
   * @throws RangeError in one sentence: the options are wrong; becomes 400
   */
  make(options: Readonly<Record<string, unknown>>, context: GuardContext): MadeGuard;
}

/** Adds evidence that the control plane computes itself, such as on delayed truth or on shadow pairs. */
export interface EvidenceSink {
  /** One record of a tally, at the candidate's share that the request was assigned under. */
  record(
    pair: Digests,
    tally: string,
    at: { rho: number; candidate: boolean; bad: boolean; n?: number },
  ): void;
  pairs(pair: Digests, name: string, counts: Counts): void;
}

export interface Digests {
  readonly candidate: string;
  readonly stable: string;
}
