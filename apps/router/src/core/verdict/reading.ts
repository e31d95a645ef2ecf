import type { Evidence } from "../evidence/evidence.ts";
import { type Interval, rateInterval } from "../evidence/interval.ts";
import { type Counts, countsOf } from "../evidence/tally.ts";
import { type Forecast, forecast } from "./forecast.ts";
import { type Guard, type Judgement, thresholdOf } from "./guards.ts";
import { evidence as evidenceText, grouped, percent, threshold as thresholdText } from "./numbers.ts";
import { pairsOf, tallyOf, type Weighed, weigh } from "./weigh.ts";

/** Counts with their rate, and the rates that they have not refuted at 95 %, however often they are looked at. */
export interface Side extends Counts, Interval {
  /** 0 without requests. */
  readonly rate: number;
}

/** One guard's arithmetic. Keys are those of the admin API. */
export interface Reading {
  readonly guard: string;
  readonly role: "rollback" | "promotion" | "check";
  readonly kind: Guard["kind"] | "sample_ratio";
  /** Largest finite number when it is beyond; `log10_e` is always right. */
  readonly e: number;
  readonly log10_e: number;
  readonly threshold: number;
  readonly log10_threshold: number;
  readonly reached: boolean;
  readonly candidate: Side | undefined;
  readonly stable: Side | undefined;
  readonly pairs: Side | undefined;
  readonly forecast: Forecast | undefined;
  /** "errors: candidate 7 of 412, stable 9 of 3,708; evidence 143 ≥ 100". */
  readonly arithmetic: string;
}

/** What is going on now, for forecasts. */
export interface Present {
  /** The candidate's weight now, 0 to 1. */
  readonly rho: number;
  /** Requests of both colors together. */
  readonly requestsPerMinute?: number | undefined;
  readonly pairsPerMinute?: number | undefined;
}

const CONFIDENCE = 0.05;

export function sideOf(counts: Counts): Side {
  const rate = counts.requests > 0 ? counts.bad / counts.requests : 0;
  return { ...counts, rate, ...rateInterval(counts, CONFIDENCE) };
}

export function readGuard(
  guard: Guard,
  role: "rollback" | "promotion",
  evidence: Evidence,
  judgement: Judgement,
  present: Present,
): Reading {
  const weighed = weigh(guard, evidence, present.rho);
  const perMinute = weighed.unit === "pairs" ? present.pairsPerMinute : present.requestsPerMinute;
  const threshold = thresholdOf(judgement, role);
  const sides = sidesOf(guard, evidence);
  return {
    guard: guard.name,
    role,
    kind: guard.kind,
    ...against(weighed.log, threshold),
    ...sides,
    forecast: forecast(weighed, Math.log(threshold), perMinute),
    arithmetic: `${titleOf(guard)}: ${countsText(guard, sides)}; ${comparison(weighed.log, threshold)}`,
  };
}

type Compared = Pick<Reading, "e" | "log10_e" | "threshold" | "log10_threshold" | "reached">;

/** Evidence, by its natural logarithm, beside its threshold. */
export function against(log: number, threshold: number): Compared {
  const lowest = -Number.MAX_VALUE; // JSON has no infinity
  return {
    e: Math.min(Math.exp(log), Number.MAX_VALUE),
    log10_e: Math.max(log / Math.LN10, lowest),
    threshold,
    log10_threshold: Math.log10(threshold),
    reached: reaches(log, threshold),
  };
}

function reaches(log: number, threshold: number): boolean {
  return log >= Math.log(threshold);
}

export function comparison(log: Weighed["log"], threshold: number): string {
  const sign = reaches(log, threshold) ? "≥" : "<";
  return `evidence ${evidenceText(log / Math.LN10)} ${sign} ${thresholdText(threshold)}`;
}

type Sides = Pick<Reading, "candidate" | "stable" | "pairs">;

function sidesOf(guard: Guard, evidence: Evidence): Sides {
  if ("pairs" in guard) {
    return { candidate: undefined, stable: undefined, pairs: sideOf(pairsOf(guard, evidence)) };
  }
  const tally = tallyOf(guard, evidence);
  const counted = (rho: number) => guard.kind !== "relative" || (rho > 0 && rho < 1);
  const [candidate, stable] = (["candidate", "stable"] as const).map((color) =>
    sideOf(countsOf(tally, color, counted)),
  );
  return { candidate, stable, pairs: undefined };
}

function countsText({ kind }: Guard, { candidate, stable, pairs }: Sides): string {
  const of = ({ bad, requests }: Counts) => `${grouped(bad)} of ${grouped(requests)}`;
  const lost = kind === "inferior" || kind === "not_inferior" ? "lost " : "";
  return pairs ? `${lost}${of(pairs)} pairs` : `candidate ${of(candidate!)}, stable ${of(stable!)}`;
}

function titleOf(guard: Guard): string {
  if (guard.kind === "absolute") return `${guard.name} at most ${percent(guard.max)}`;
  if (guard.kind === "below" || guard.kind === "agreement")
    return `${guard.name} below ${percent(guard.max)}`;
  if (guard.kind === "relative")
    return guard.phi0 === 1 ? guard.name : `${guard.name} over ${guard.phi0} times`;
  return guard.name;
}
