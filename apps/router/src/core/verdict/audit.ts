import { checkInside, checkRatio, checkRisk } from "../evidence/check.ts";
import type { Evidence } from "../evidence/evidence.ts";
import { type EvidenceLine, readLine, toLines } from "../evidence/lines.ts";
import { pairsTally } from "../evidence/pairs.ts";
import { RATE_RATIOS, SHIFT_RATIOS } from "../evidence/relative-rate.ts";
import { EMPTY_TALLY } from "../evidence/tally.ts";
import { ALPHA, checkJudgement, type Judgement, type RollbackGuard } from "./guards.ts";

/** What a line may say of its guard, where that is not what the guard's name stands for. */
export interface GuardOptions {
  /** Tolerated ratio of the rates. @default 1; 1.2 for `slow` */
  readonly phi0?: number;
  /** Ratios that are bet on. @default those of a rate; of a shift for `predictions high` and `low` */
  readonly ratios?: readonly number[];
  /** The limit of an absolute guard: the candidate's rate alone is judged. */
  readonly max?: number;
  /** The release's risk of rolling an innocent candidate back. @default 0.01 */
  readonly alpha?: number;
}

export type AuditLine = EvidenceLine & GuardOptions;

/** Tolerated ratio of slow answers where nothing says another. */
const SLOW_PHI0 = 1.2;

/**
 * The evidence of a release as lines from which a replay computes what each rollback guard had, against the threshold that it had. A
 * guard without evidence has one line for no request, because all of them share alpha.
 */
export function auditLines(judgement: Judgement, evidence: Evidence): AuditLine[] {
  const alpha = judgement.alpha === ALPHA ? {} : { alpha: judgement.alpha };
  return judgement.rollback.flatMap((guard) => {
    const tally =
      "pairs" in guard
        ? pairsTally(evidence.pairs[guard.pairs] ?? { requests: 0, bad: 0 }, "losses")
        : (evidence.tallies[guard.tally] ?? EMPTY_TALLY);
    const none = { guard: guard.name, rho: 0, candidate: true, bad: false, n: 0 };
    const lines = toLines(guard.name, tally);
    return (lines.length > 0 ? lines : [none]).map((line) => ({ ...line, ...optionsOf(guard), ...alpha }));
  });
}

function optionsOf(guard: RollbackGuard): GuardOptions {
  if (guard.kind === "absolute") return { max: guard.max };
  const { phi0, ratios } = guard.kind === "relative" ? guard : { phi0: guard.odds, ratios: SHIFT_RATIOS };
  const usual = guardOf(guard.name, {});
  const same = usual.kind === "relative" && String(usual.ratios) === String(ratios);
  return {
    ...(usual.kind === "relative" && usual.phi0 === phi0 ? {} : { phi0 }),
    ...(same ? {} : { ratios }),
  };
}

/** The guard of this name, with what its lines say of it. @throws RangeError */
export function guardOf(name: string, options: GuardOptions): RollbackGuard {
  const { phi0 = /^slow\b/.test(name) ? SLOW_PHI0 : 1, max } = options;
  if (max !== undefined) return { kind: "absolute", name, tally: name, max };
  const { ratios = /^predictions (high|low)\b/.test(name) ? SHIFT_RATIOS : RATE_RATIOS } = options;
  return { kind: "relative", name, tally: name, phi0, ratios };
}

/** Checks one parsed line with what it says of its guard. @throws RangeError that names the key and says what was expected */
export function readAuditLine(value: unknown): AuditLine {
  const line = readLine(value);
  const { phi0, ratios, max, alpha } = value as Record<string, unknown>;
  const options = {
    ...(phi0 !== undefined && { phi0: checkRatio(number(phi0, "phi0"), '"phi0"') }),
    ...(max !== undefined && { max: checkInside(number(max, "max"), '"max"') }),
    ...(alpha !== undefined && { alpha: checkRisk(number(alpha, "alpha"), '"alpha"') }),
    ...(ratios !== undefined && { ratios: numbers(ratios) }),
  };
  if (Object.keys(options).length === 0) return line;
  const rollback = [guardOf(line.guard, options)];
  checkJudgement({ rollback, promotion: [], alpha: ALPHA, alphaPromotion: ALPHA });
  return { ...line, ...options };
}

function number(value: unknown, key: string): number {
  if (typeof value === "number") return value;
  throw new RangeError(`"${key}" is ${JSON.stringify(value)}; expected a number.`);
}

function numbers(value: unknown): readonly number[] {
  if (Array.isArray(value)) return value.map((each) => number(each, "ratios"));
  throw new RangeError(`"ratios" is ${JSON.stringify(value)}; expected a list of numbers above 1.`);
}
