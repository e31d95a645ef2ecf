import type { StepView } from "../../control/rollout/what-next.ts";
import type { Evidence } from "../../core/evidence/evidence.ts";
import type { Judgement } from "../../core/verdict/guards.ts";

/** What the admin API answers of a rollout, as far as the command reads it. */

export interface Side {
  readonly requests: number;
  readonly bad: number;
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

export interface Forecast {
  readonly requests: number;
  readonly unit: string;
  readonly minutes?: number;
}

export interface Reading {
  readonly guard: string;
  readonly role: string;
  readonly log10_e: number;
  readonly log10_threshold: number;
  readonly threshold: number;
  readonly reached: boolean;
  readonly candidate?: Side;
  readonly stable?: Side;
  readonly pairs?: Side;
  readonly forecast?: Forecast;
}

interface Quantiles {
  readonly requests: number;
  readonly p50: number | null;
  readonly p95: number | null;
}

export interface StepReading {
  readonly share: number;
  readonly latency: {
    readonly candidate: Quantiles;
    readonly stable: Quantiles;
    readonly distance: number;
    readonly band: number;
    readonly slower: boolean;
  } | null;
  readonly predictions: { readonly psi: number; readonly psiLimit: number; readonly drifted: boolean } | null;
}

export interface LogLine {
  readonly at: string;
  readonly event: string;
  readonly share: number;
  readonly reason: string;
  readonly by: string;
}

interface Identity {
  readonly color: string;
  readonly version: string;
  readonly digest: string;
}

export interface RolloutSummary {
  readonly id: string;
  readonly candidate: Identity;
  readonly stable: Identity;
  readonly phase: string;
  readonly over: boolean;
  readonly share: number;
  readonly started: string;
  readonly ended: string | null;
  readonly by: string;
  readonly reason: string;
  readonly result: string;
}

export interface Rollout extends Omit<RolloutSummary, "result"> {
  readonly expect: string;
  readonly paused: { readonly reason: string } | null;
  readonly step: StepView;
  readonly next: string;
  readonly verdict: {
    readonly decision: string;
    readonly guard: string | null;
    readonly reason: string;
    readonly outlook: string;
  };
  readonly guards: readonly Reading[];
  readonly warnings: readonly string[];
  /** Names of guards whose breach somebody accepted. */
  readonly accepted: readonly string[];
  readonly checks: readonly { readonly name: string; readonly ok?: boolean; readonly detail: string }[];
  readonly steps: readonly StepReading[];
  readonly log: readonly LogLine[];
  readonly plan: { readonly judgement: Judgement };
  readonly evidence: Evidence;
  readonly saved?: boolean;
}
