import { logAbove } from "../evidence/absolute-rate.ts";
import type { Evidence } from "../evidence/evidence.ts";
import { logSampleRatio } from "../evidence/sample-ratio.ts";
import { countsOf, EMPTY_TALLY } from "../evidence/tally.ts";
import { type Forecast, forecastText } from "./forecast.ts";
import { type Judgement, SAMPLE_RATIO, thresholdOf } from "./guards.ts";
import { duration, grouped } from "./numbers.ts";
import { against, comparison, type Present, type Reading, readGuard, sideOf } from "./reading.ts";
import { tallyOf } from "./weigh.ts";

export type Decision = "promote" | "hold" | "rollback" | "pause";

/** A decision with the arithmetic that led to it. */
export interface Verdict {
  readonly decision: Decision;
  /** The guard that decided; undefined for promote and hold, which need all. */
  readonly guard: string | undefined;
  /** "errors: candidate 7 of 412, stable 9 of 3,708; evidence 143 ≥ 100: roll back". */
  readonly reason: string;
  readonly readings: readonly Reading[];
  /** What will be decided next, if things stay as they are; undefined when no verdict is in sight. */
  readonly next: (Forecast & { readonly decision: "promote" | "rollback" }) | undefined;
  /** The same as a sentence. */
  readonly outlook: string;
}

export interface VerdictOptions {
  /** Guards whose breach a person has looked at and accepted. */
  readonly accepted?: readonly string[];
  /** Time that must pass before promotion, whatever the evidence says: milliseconds, 0 by default. */
  readonly remaining?: number;
}

/**
 * The verdict on evidence as it stands. It may be asked for after every request: an innocent candidate is rolled back with probability
 * alpha at most, however often that is. Without data it is hold.
 */
export function judge(
  evidence: Evidence,
  judgement: Judgement,
  present: Present,
  options: VerdictOptions = {},
): Verdict {
  const { accepted = [], remaining = 0 } = options;
  const readings = readAll(evidence, judgement, present);
  const breaches = readings
    .filter(({ role, reached, guard }) => reached && role !== "promotion" && !accepted.includes(guard))
    .map((reading) => ({ reading, ...breachBy(reading, evidence, judgement) }));
  // a guard that only pauses must not hide one that rolls back
  const breach = breaches.find(({ decision }) => decision === "rollback") ?? breaches[0];
  if (breach !== undefined) return decided(breach, readings);
  const open = readings.filter(({ role, reached }) => role === "promotion" && !reached);
  if (open.length === 0 && remaining <= 0 && hasData(evidence)) {
    return { ...NOTHING_NEXT, decision: "promote", reason: promoteReason(readings), readings };
  }
  return {
    decision: "hold",
    guard: undefined,
    reason: holdReason(evidence, open, remaining),
    readings,
    ...outlook(readings),
  };
}

const NOTHING_NEXT = { guard: undefined, next: undefined, outlook: "" } as const;

function readAll(evidence: Evidence, judgement: Judgement, present: Present): Reading[] {
  return [
    ...judgement.rollback.map((guard) => readGuard(guard, "rollback", evidence, judgement, present)),
    ...readDraws(evidence, judgement),
    ...judgement.promotion.map((guard) => readGuard(guard, "promotion", evidence, judgement, present)),
  ];
}

/** The check of the draws: no forecast, because it should never be reached. */
function readDraws(evidence: Evidence, judgement: Judgement): Reading[] {
  if (judgement.assigned === undefined) return [];
  const tally = evidence.tallies[judgement.assigned] ?? EMPTY_TALLY;
  const log = logSampleRatio(tally);
  const [candidate, stable] = [countsOf(tally, "candidate"), countsOf(tally, "stable")];
  const threshold = thresholdOf(judgement, "check");
  const drawn = `candidate was assigned ${grouped(candidate.requests)}, stable ${grouped(stable.requests)}`;
  return [
    {
      guard: SAMPLE_RATIO,
      role: "check",
      kind: "sample_ratio",
      ...against(log, threshold),
      candidate: sideOf(candidate),
      stable: sideOf(stable),
      pairs: undefined,
      forecast: undefined,
      arithmetic: `${SAMPLE_RATIO}: ${drawn}; ${comparison(log, threshold)}`,
    },
  ];
}

interface Breach {
  readonly decision: "rollback" | "pause";
  readonly because: string;
}

/** What a reading that has reached its threshold comes to, but for promotion's. */
export function breachBy(reading: Reading, evidence: Evidence, judgement: Judgement): Breach {
  if (reading.role === "check") return { decision: "pause", because: ", not what the weights give: pause" };
  const guard = judgement.rollback.find(({ name }) => name === reading.guard)!;
  // the stable color need not have reached its own threshold: it is enough that its counts lean to a breach
  if (guard.kind === "absolute" && logAbove(countsOf(tallyOf(guard, evidence), "stable"), guard.max) > 0) {
    return { decision: "pause", because: ", and the stable color is above it, too: pause" };
  }
  return { decision: "rollback", because: ": roll back" };
}

function decided(breach: Breach & { readonly reading: Reading }, readings: readonly Reading[]): Verdict {
  const { reading, decision, because } = breach;
  const reason = `${reading.arithmetic}${because}`;
  return { ...NOTHING_NEXT, decision, guard: reading.guard, reason, readings };
}

function hasData({ tallies, pairs }: Evidence): boolean {
  const counted = Object.values(tallies).some((tally) => countsOf(tally, "candidate").requests > 0);
  return counted || Object.values(pairs).some(({ requests }) => requests > 0);
}

function promoteReason(readings: readonly Reading[]): string {
  const passed = readings.filter(({ role }) => role === "promotion").map(({ arithmetic }) => arithmetic);
  return passed.length > 0
    ? `${passed.join("; ")}: promote`
    : "no guard is breached, and none must pass: promote";
}

function holdReason(evidence: Evidence, open: readonly Reading[], remaining: number): string {
  if (!hasData(evidence)) return "no data: hold";
  if (open.length > 0) return `${open.map(({ arithmetic }) => arithmetic).join("; ")}: hold`;
  return `promotion's guards have passed; the steps before 100 % take at least ${duration(remaining / 60_000)} more: hold`;
}

function outlook(readings: readonly Reading[]): Pick<Verdict, "next" | "outlook"> {
  const next = nextDecision(readings);
  if (next === undefined) {
    const asked = readings.filter(({ role }) => role === "promotion");
    const passed = asked.length > 0 && asked.every(({ reached }) => reached);
    return {
      next,
      outlook: passed
        ? "promotion's guards have passed; what is left is its steps' time"
        : "no verdict in sight, if things stay as they are",
    };
  }
  const what = next.decision === "rollback" ? "it is rolled back" : "promotion's guards pass";
  return { next, outlook: `${forecastText(next)} until ${what}, if things stay as they are` };
}

/** The first rollback guard that will be reached, or promotion once its last guard is: whichever comes first. */
function nextDecision(readings: readonly Reading[]): Verdict["next"] {
  const ahead = (role: Reading["role"]) =>
    readings
      .filter((reading) => reading.role === role && !reading.reached)
      .map((reading) => reading.forecast);
  const back = ahead("rollback")
    .filter((one) => one !== undefined)
    .sort((a, b) => a.requests - b.requests)[0];
  const open = ahead("promotion");
  const all = open.filter((one) => one !== undefined).sort((a, b) => b.requests - a.requests);
  const promote = all.length === open.length ? all[0] : undefined;
  if (promote !== undefined && (back === undefined || promote.requests < back.requests)) {
    return { ...promote, decision: "promote" };
  }
  return back && { ...back, decision: "rollback" };
}
