import type { PairReport } from "./pairs.ts";

/** The shadow that runs, as the data plane has to know it. Part of a snapshot. */
export interface ShadowView {
  /** Pairs belong to it: another id begins anew. */
  readonly id: string;
  /** The color that gets copies; it serves nobody. */
  readonly color: string;
  /** The color whose answers are compared with. */
  readonly against: string;
  /** Of the requests on declared paths, above 0 and up to 100. */
  readonly percent: number;
  /** How answers are compared ({@link measureOf}); a data plane whose configuration says otherwise is not there yet. */
  readonly measure: string;
}

/** What one data plane has found by comparing answers, since it heard of a shadow. */
export interface PairRun {
  /** The shadow's. */
  readonly id: string;
  /** Unique: a process that begins anew counts anew. */
  readonly run: string;
  readonly pairs: PairReport;
}

/** How a copy ended that was never sent: nobody knows what its answer would have been. */
export const UNSENT_COPIES = [
  "aborted",
  "rate",
  "busy",
  "queue",
  "memory",
  "no_body",
  "no_target",
  "unsupported",
] as const;

/** How a copy ended. The first four were answered. */
export const COPY_OUTCOMES = [
  "answered",
  "rejected",
  "failed",
  "reset",
  "connect",
  "timeout",
  "too_large",
  ...UNSENT_COPIES,
] as const;
export type CopyOutcome = (typeof COPY_OUTCOMES)[number];
