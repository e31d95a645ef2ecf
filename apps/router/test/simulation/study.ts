import { constant, drifting, play, REQUESTS, randomOf, STEPS } from "./releases.ts";
import { EvidenceRule, FOUR, RULES, type Rule } from "./rules.ts";

/** At which request each of many releases was rolled back, rising; those that were not are missing. */
export interface Result {
  readonly releases: number;
  readonly at: readonly number[];
}

export const shareOf = ({ at, releases }: Result) => at.length / releases;
export const medianOf = ({ at }: Result) => at[Math.floor((at.length - 1) / 2)];

export interface World {
  readonly steps?: readonly number[];
  /** Of the candidate's errors. */
  readonly risk: number;
  readonly base: "1 %" | "drifting";
}

type Named = readonly [name: string, rule: () => Rule];

/** Several rules on the errors of the same releases. `study` is the seed. */
export function studyRules(rules: readonly Named[], world: World, releases: number, study: number): Result[] {
  const { steps = STEPS, risk } = world;
  const found: number[][] = rules.map(() => []);
  for (let release = 0; release < releases; release++) {
    const random = randomOf(study, release);
    const open = new Map(rules.map(([, rule], i) => [i, rule()]));
    play({ steps, base: baseOf(world, random), risk }, random, (request, ...seen) => {
      for (const [i, rule] of open) {
        if (!rule.see(request, ...seen)) continue;
        found[i]!.push(request + 1);
        open.delete(i);
      }
      return open.size === 0;
    });
    for (const rule of open.values()) rule.confirm?.(steps.at(-1)!);
  }
  return found.map((at) => ({ releases, at: at.sort((a, b) => a - b) }));
}

function baseOf({ base }: World, random: () => number): (request: number) => number {
  return base === "drifting" ? drifting(random) : constant(0.01);
}

/**
 * Four guards that share alpha, each with requests of its own. Only `errors` are `risk` times as frequent. `slow` is at the edge of
 * its null: the candidate is slow 1.2 times as often, which is tolerated.
 */
export function studyFour(world: World, releases: number, study: number): Result {
  const { steps = STEPS } = world;
  const risks: Record<string, number> = { errors: world.risk, slow: 1.2 };
  const at: number[] = [];
  for (let release = 0; release < releases; release++) {
    const first = Math.min(...FOUR.rollback.map(({ name }, i) => rolledBackAt(name, i, release)));
    if (Number.isFinite(first)) at.push(first + 1);
  }
  return { releases, at: at.sort((a, b) => a - b) };

  function rolledBackAt(name: string, i: number, release: number): number {
    const random = randomOf(study, release * FOUR.rollback.length + i);
    const rule = new EvidenceRule(FOUR, name);
    let at = Number.POSITIVE_INFINITY;
    play({ steps, base: baseOf(world, random), risk: risks[name] ?? 1 }, random, (request, ...seen) => {
      if (!rule.see(request, ...seen)) return false;
      at = request;
      return true;
    });
    if (at === Number.POSITIVE_INFINITY) rule.confirm(steps.at(-1)!);
    return at;
  }
}

/** Seeds. Fixed, never searched for: the first that were written down. */
export const STUDY = {
  equal: 1,
  drifting: 2,
  power: 3,
  steps: 4,
  curve: 5,
  mechanisms: 6,
  traces: 7,
  truth: 8,
} as const;
export const RISKS = [2, 3, 5, 20] as const;

export interface Row {
  readonly rule: string;
  readonly equal: Result;
  readonly drifting: Result;
  /** By {@link RISKS}. */
  readonly worse: readonly Result[];
}

const NULL_RELEASES = 2000;
const POWER_RELEASES = 2000;
const STEP_RELEASES = 1000;
const CURVE_RELEASES = 400;

export function compareRules(): Row[] {
  const rules = Object.entries(RULES);
  const both = (world: World, releases: number, study: number) => [
    studyFour(world, releases, study),
    ...studyRules(rules, world, releases, study),
  ];
  const equal = both({ risk: 1, base: "1 %" }, NULL_RELEASES, STUDY.equal);
  const drifted = both({ risk: 1, base: "drifting" }, NULL_RELEASES, STUDY.drifting);
  const worse = RISKS.map((risk) => both({ risk, base: "1 %" }, POWER_RELEASES, STUDY.power));
  return ["Sluice, four guards", ...rules.map(([name]) => name)].map((rule, i) => ({
    rule,
    equal: equal[i]!,
    drifting: drifted[i]!,
    worse: worse.map((results) => results[i]!),
  }));
}

export const STEP_CHOICES: readonly (readonly number[])[] = [
  [0.01, 0.05, 0.25, 0.5],
  [0.05, 0.1, 0.25, 0.5],
  [0.05, 0.25, 0.5, 0.5],
];

/** What other steps can reach, with one guard: a result for each of 1 and {@link RISKS}. */
export function compareSteps(): Result[][] {
  const rule: Named = ["Sluice", RULES["Sluice, one guard"]!];
  return STEP_CHOICES.map((steps) =>
    [1, ...RISKS].map(
      (risk) => studyRules([rule], { steps, risk, base: "1 %" }, STEP_RELEASES, STUDY.steps)[0]!,
    ),
  );
}

export const CURVE_RISKS = [1, 1.5, 2, 2.5, 3, 4, 5] as const;
export const CURVE_RULES = [
  "Sluice, one guard",
  "z-test at 5 %, 60 looks",
  "Flagger, 95 %",
  "Argo, 95 %",
] as const;

/** How likely each rule rolls back, by how much worse the candidate is. */
export function powerCurves(): number[][] {
  const rules = CURVE_RULES.map((name): Named => [name, RULES[name]!]);
  const byRisk = CURVE_RISKS.map((risk) =>
    studyRules(rules, { risk, base: "1 %" }, CURVE_RELEASES, STUDY.curve),
  );
  return rules.map((_, i) => byRisk.map((results) => shareOf(results[i]!)));
}

/** The evidence of a few releases, log10, every 25 requests. */
export function traces(risk: number, releases: number): number[][] {
  return Array.from({ length: releases }, (_, release) => {
    const random = randomOf(STUDY.traces, release);
    const rule = new EvidenceRule(FOUR, "errors");
    const line: number[] = [];
    play({ steps: STEPS, base: constant(0.01), risk }, random, (request, ...rest) => {
      rule.see(request, ...rest);
      if (request % 25 === 0 || request === REQUESTS - 1) line.push(rule.log() / Math.LN10);
      return false;
    });
    return line;
  });
}
