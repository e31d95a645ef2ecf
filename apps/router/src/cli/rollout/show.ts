import { duration, evidence, grouped, percent, threshold } from "../../core/verdict/numbers.ts";
import { formatSeconds } from "../format.ts";
import { paint } from "../output.ts";
import { table, tableWithin } from "../table.ts";
import type { LogLine, Reading, Rollout, RolloutSummary, Side, StepReading } from "./types.ts";

const LOG_SHOWN = 8;
/** A rate below is shown as 0, which no lower bound is too high by. */
const TINY = 1e-6;

/**
 * A rollout on one screen: where it is, what its evidence says, what comes next.
 * @param width of the terminal, in characters
 */
export function showRollout(
  rollout: Rollout,
  width = process.stdout.columns ?? Number.POSITIVE_INFINITY,
): string {
  const { candidate, stable, step, verdict, warnings, over } = rollout;
  const facts = [
    ["rollout", rollout.id],
    ["", `${candidate.color} ${candidate.version} against ${stable.color} ${stable.version}`],
    ["phase", `${phaseOf(rollout)}, ${rollout.share} % to ${candidate.color}`],
    ...(over ? [] : [["step", stepText(step)]]),
    ["verdict", verdict.reason],
    ...(verdict.outlook && !over ? [["outlook", verdict.outlook]] : []),
    ["next", rollout.next],
    ...rollout.checks.map((check, i) => [i === 0 ? "checks" : "", checkText(check)]),
    ...warnings.map((warning) => [paint("red", "warning"), paint("red", warning)]),
  ];
  const parts = [
    table(["", ""], facts).split("\n").slice(1).join("\n"),
    guardTable(rollout, width),
    ...(rollout.steps.length > 0 ? [stepTable(rollout.steps)] : []),
    rollout.log.slice(-LOG_SHOWN).map(showLine).join("\n"),
  ];
  return parts.join("\n\n");
}

function phaseOf({ phase, paused }: Rollout): string {
  const words = phase.replaceAll("_", " ");
  const style =
    phase === "promoted" ? "green" : phase.startsWith("roll") || phase === "aborted" ? "red" : "cyan";
  return `${paint(style, words)}${paused ? paint("yellow", " (paused)") : ""}`;
}

function checkText({ name, ok, detail }: Rollout["checks"][number]): string {
  if (ok === undefined) return `${name}: ${detail}`;
  return `${name}: ${paint(ok ? "green" : "red", ok ? "passed" : "failed")}: ${detail}`;
}

function stepText(step: Rollout["step"]): string {
  const seconds = `${Math.floor(step.seconds)} of ${step.seconds_least} s`;
  return `${step.number} of ${step.of}: ${seconds}, ${grouped(step.requests)} of ${grouped(step.requests_least)} requests`;
}

function guardTable({ guards, accepted }: Rollout, width: number): string {
  const head = ["guard", "for", "candidate", "95 %", "stable", "95 %", "evidence", "needs", "forecast"];
  const rows = guards.map((reading) => [
    accepted.includes(reading.guard) ? `${reading.guard} (accepted)` : reading.guard,
    reading.role,
    ...sideCells(reading, reading.candidate ?? reading.pairs),
    ...sideCells(reading, reading.stable),
    paint(styleOf(reading), evidence(reading.log10_e)),
    threshold(reading.threshold),
    forecast(reading),
  ]);
  return tableWithin(width, head, rows, { right: [2, 4, 6, 7], spare: [5, 3, 8, 1] });
}

function styleOf({ reached, role }: Reading): "green" | "red" | "reset" {
  if (!reached) return "reset";
  return role === "promotion" ? "green" : "red";
}

/** What a color has had, and its interval. The check of the draws counts requests, of which none is bad. */
function sideCells({ role }: Reading, side: Side | undefined): readonly string[] {
  if (role === "check") return [side === undefined ? "–" : grouped(side.requests), "–"];
  return [counts(side), interval(side)];
}

function counts(side: Side | undefined): string {
  return side === undefined ? "–" : `${grouped(side.bad)} of ${grouped(side.requests)}`;
}

function interval(side: Side | undefined): string {
  if (side === undefined || side.requests === 0) return "–";
  const low = side.low < TINY ? 0 : side.low;
  return `${percent(low)} to ${percent(side.high)}`;
}

function forecast({ forecast: ahead, reached }: Reading): string {
  if (reached || ahead === undefined) return "–";
  const minutes = ahead.minutes === undefined ? "" : `, ${duration(ahead.minutes)}`;
  return `${grouped(Number(ahead.requests.toPrecision(2)))} ${ahead.unit}${minutes}`;
}

/** Second opinions: right at one weight only, and never a decision. */
function stepTable(steps: readonly StepReading[]): string {
  const head = ["at", "candidate p50", "p95", "stable p50", "p95", "apart", "band", "predictions"];
  const rows = steps.map(({ share, latency, predictions }) => [
    `${Number(share.toFixed(2))} %`,
    formatSeconds(latency?.candidate.p50),
    formatSeconds(latency?.candidate.p95),
    formatSeconds(latency?.stable.p50),
    formatSeconds(latency?.stable.p95),
    ...apartCells(latency),
    predictions === null ? "–" : driftText(predictions),
  ]);
  return table(head, rows, [0, 1, 2, 3, 4, 5, 6]);
}

/** Nothing is apart where one color had no requests, as at 100 %. */
function apartCells(latency: StepReading["latency"]): readonly string[] {
  if (latency === null || latency.candidate.requests === 0 || latency.stable.requests === 0)
    return ["–", "–"];
  const style = latency.slower ? "yellow" : "reset";
  return [paint(style, latency.distance.toFixed(3)), latency.band.toFixed(3)];
}

function driftText({ psi, psiLimit, drifted }: NonNullable<StepReading["predictions"]>): string {
  const text = `PSI ${psi.toFixed(3)} (limit ${psiLimit.toFixed(3)})`;
  return drifted ? paint("yellow", `${text}: drifted`) : text;
}

/** A line of a rollout's log. */
export function showLine({ at, event, share, reason, by }: LogLine): string {
  const time = paint("dim", new Date(at).toLocaleString("sv-SE"));
  const why = reason.replace(/\s*\n\s*/g, " "); // or a reason could write lines of its own
  return `${time}  ${event.padEnd(11)} ${String(share).padStart(3)} %  ${why}${by === "sluice" ? "" : ` (${by})`}`;
}

/** Releases as a table, the newest first. */
export function showReleases(all: readonly RolloutSummary[]): string {
  const rows = all.map(({ id, candidate, stable, phase, by, reason, result }) => [
    id,
    `${candidate.color} ${candidate.version}`,
    `${stable.color} ${stable.version}`,
    phase.replaceAll("_", " "),
    by,
    reason,
    result,
  ]);
  return table(["release", "candidate", "stable", "phase", "who", "why", "result"], rows);
}
