import { TRUTH_RATIOS } from "../../src/control/feedback/guard.ts";
import { drifting, REQUESTS, randomOf, STEPS } from "./releases.ts";
import { EvidenceRule, judgementOf } from "./rules.ts";
import { type Result, STUDY } from "./study.ts";

/** How actual values come; times are counted in requests. */
export interface Truth {
  readonly name: string;
  /** After a request, until its actual value is told. `u`: a uniform draw. */
  readonly delay: (u: number, bad: boolean) => number;
  /** Share of the actual values that never come. */
  readonly missing: (bad: boolean) => number;
}

/** Half of them within about 115 requests, one in ten after 800, one in a hundred after 12,600. */
const heavyTailed = (u: number) => 50 / (1 - u) ** 1.2;
const none = () => 0;

export const TRUTHS: readonly Truth[] = [
  { name: "known at once", delay: none, missing: none },
  { name: "late, in any order", delay: heavyTailed, missing: none },
  {
    name: "late, and 30 % never; of large errors half, and three times as late",
    delay: (u, bad) => heavyTailed(u) * (bad ? 3 : 1),
    missing: (bad) => (bad ? 0.5 : 0.3),
  },
];

const GUARD = judgementOf([
  { kind: "relative", name: "truth", tally: "truth:1", phi0: 1, ratios: TRUTH_RATIOS },
]);

/** A step ends as in a rollout: after a time, and once the candidate has had its requests. So the weights follow from the draws. */
const STEP_MIN = REQUESTS / 6;
const STEP_REQUESTS = 300;

/** An actual value that shows an error above the limit. */
interface Told {
  readonly at: number;
  readonly rho: number;
  readonly candidate: boolean;
}

function* served(risk: number, random: () => number) {
  const base = drifting(random);
  let [step, since, candidates] = [0, 0, 0];
  for (let request = 0; request < REQUESTS; request++) {
    const rho = STEPS[step]!;
    const candidate = random() < rho;
    // above a limit that is the stable color's upper quartile: between 1 and 43 % of the requests
    const bad = random() < Math.min(1, 12 * base(request) * (candidate ? risk : 1));
    yield { request, rho, candidate, bad };
    if (candidate) candidates++;
    if (request - since < STEP_MIN || candidates < STEP_REQUESTS || step === STEPS.length - 1) continue;
    [step, since, candidates] = [step + 1, request, 0];
  }
}

/** The release as the guard sees it, in the order in which actual values come; each comes again and again. */
function toldOf(risk: number, { delay, missing }: Truth, again: boolean, random: () => number): Told[] {
  const told: Told[] = [];
  for (const { request, rho, candidate, bad } of served(risk, random)) {
    const [u, lost] = [random(), random() < missing(bad)];
    if (!bad || lost) continue;
    for (let at = request + delay(u, bad); at < REQUESTS; at += 500) {
      told.push({ at, rho, candidate });
      if (!again) break;
    }
  }
  return told.sort((a, b) => a.at - b.at);
}

function study(risk: number, truth: Truth, again: boolean, releases: number): Result {
  const at: number[] = [];
  for (let release = 0; release < releases; release++) {
    const told = toldOf(risk, truth, again, randomOf(STUDY.truth, release));
    const rule = new EvidenceRule(GUARD, "truth");
    const found = told.find((one) => rule.see(one.at, one.rho, one.candidate, true));
    if (found) at.push(Math.ceil(found.at));
    else rule.confirm(STEPS.at(-1)!);
  }
  return { releases, at: at.sort((a, b) => a - b) };
}

export interface TruthRow {
  readonly truth: string;
  readonly equal: Result;
  /** Half as many large errors again, and twice as many. */
  readonly worse: readonly Result[];
  /** An equal candidate, if every repetition of an actual value counted. */
  readonly repeated: Result;
}

export function compareTruths(releases = 1000): TruthRow[] {
  return TRUTHS.map((truth) => ({
    truth: truth.name,
    equal: study(1, truth, false, releases),
    worse: [1.5, 2].map((risk) => study(risk, truth, false, releases / 4)),
    repeated: study(1, truth, true, releases / 4),
  }));
}
