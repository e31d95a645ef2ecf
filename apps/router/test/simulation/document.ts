import { draw } from "./chart.ts";
import { compareTruths, type TruthRow } from "./late-truth.ts";
import { compareCharging, type MechanismRow } from "./mechanisms.ts";
import { LOOKS, RULES } from "./rules.ts";
import {
  CURVE_RISKS,
  CURVE_RULES,
  compareRules,
  compareSteps,
  medianOf,
  powerCurves,
  type Result,
  type Row,
  STEP_CHOICES,
  shareOf,
  traces,
} from "./study.ts";

/** All that is simulated, once. */
export interface Findings {
  readonly rules: readonly Row[];
  readonly steps: readonly (readonly Result[])[];
  readonly charging: readonly MechanismRow[];
  readonly curves: readonly (readonly number[])[];
  readonly truths: readonly TruthRow[];
}

export function simulateAll(): Findings {
  return {
    rules: compareRules(),
    steps: compareSteps(),
    charging: compareCharging(),
    curves: powerCurves(),
    truths: compareTruths(),
  };
}

/** The tables of docs/decisions.md by the name of their place in it. */
export function tables({ rules, steps, charging, truths }: Findings): Record<string, string> {
  return {
    truth: truthTable(truths),
    rules: table(
      ["rule", "equal", "equal, rate drifts", "doubled", "tripled", "fivefold", "twentyfold"],
      rules.map((row) => [row.rule, percent(row.equal), percent(row.drifting), ...row.worse.map(withMedian)]),
    ),
    steps: table(
      ["steps", "equal", "doubled", "tripled", "fivefold", "twentyfold"],
      steps.map((results, i) => [
        `${STEP_CHOICES[i]!.map((step) => step * 100).join(", ")} %`,
        percent(results[0]!),
        ...results.slice(1).map(withMedian),
      ]),
    ),
    charging: table(
      ["what happens", "charged to the assigned color, once", "every attempt charged to its color"],
      charging.map((row) => [row.mechanism, percent(row.charged), percent(row.naive)]),
    ),
  };
}

export function truthTable(truths: readonly TruthRow[]): string {
  return table(
    ["actual values", "equal", "half as many again", "doubled", "equal, if repetitions counted"],
    truths.map((row) => [row.truth, percent(row.equal), ...row.worse.map(withMedian), percent(row.repeated)]),
  );
}

/** The plots by the name of their file. */
export function plots({ rules, curves }: Findings): Record<string, string> {
  return {
    "false-rollbacks.svg": falseRollbacks(rules),
    "power.svg": power(curves),
    "evidence.svg": evidence(),
  };
}

const percent = (result: Result) => `${Number((shareOf(result) * 100).toFixed(2))} %`;

function withMedian(result: Result): string {
  const median = medianOf(result);
  return median === undefined ? percent(result) : `${percent(result)} @${median.toLocaleString("en-US")}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

const REQUEST_AXIS = {
  label: "requests of both colors",
  ticks: [0, 1000, 2000, 3000, 4000, 5000, 6000],
  name: (n: number) => n.toLocaleString("en-US"),
};
const SHARE_TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];
const shareName = (share: number) => `${Math.round(share * 100)} %`;

function falseRollbacks(rules: readonly Row[]): string {
  const shown = ["Sluice, four guards", "z-test at 5 %, 60 looks", "Flagger, 95 %", "Argo, 95 %"];
  const looks = Array.from({ length: LOOKS + 1 }, (_, i) => i * 100);
  return draw({
    title: "Candidates as good as the stable color, rolled back so far",
    x: REQUEST_AXIS,
    y: { label: "share of releases", ticks: SHARE_TICKS, name: shareName },
    lines: shown.map((label, color) => {
      const { at, releases } = rules.find(({ rule }) => rule === label)!.drifting;
      return {
        label,
        color,
        points: looks.map((x) => [x, at.filter((n) => n <= x).length / releases] as const),
      };
    }),
  });
}

function power(curves: readonly (readonly number[])[]): string {
  return draw({
    title: "Rolled back within 6,000 requests, by how much worse the candidate is",
    x: {
      label: "errors, as a multiple of the stable color's 1 %",
      ticks: [0, 1, 2, 3, 5, 7, 10],
      name: String,
    },
    y: { label: "share of releases", ticks: SHARE_TICKS, name: shareName },
    lines: CURVE_RULES.map((label, color) => ({
      label: label in RULES ? label : "",
      color,
      points: CURVE_RISKS.map((risk, i) => [risk, curves[color]![i]!] as const),
    })),
  });
}

function evidence(): string {
  const line = (risk: number, color: number, label: string) =>
    traces(risk, 6).map((points, i) => ({
      label: i === 0 ? label : "",
      color,
      thin: true,
      points: points.map((y, x) => [Math.min(x * 25, 6000), y] as const),
    }));
  return draw({
    title: "Evidence that the candidate fails more, in six releases each",
    x: REQUEST_AXIS,
    y: { label: "evidence", ticks: [-2, 0, 2, 4, 6], name: (n) => (n === 0 ? "1" : `10^${n}`) },
    limit: { y: Math.log10(400), label: "400: roll back" },
    lines: [...line(1, 0, "equal"), ...line(3, 1, "tripled")],
  });
}

/** A document with its places filled: what stands between `<!-- simulated: NAME -->` and `<!-- end -->`. */
export function fill(document: string, blocks: Readonly<Record<string, string>>): string {
  return Object.entries(blocks).reduce((text, [name, block]) => {
    const place = new RegExp(`(<!-- simulated: ${name} -->\n\n)[\\s\\S]*?(\n?<!-- end -->)`);
    if (!place.test(text)) throw new Error(`The document has no place for ${name}.`);
    return text.replace(place, (_, before) => `${before}${block}\n\n<!-- end -->`);
  }, document);
}
