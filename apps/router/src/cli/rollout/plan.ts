import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { usageError } from "../errors.ts";

export interface PlanFlags {
  readonly plan?: string;
  readonly expect?: string;
  readonly steps?: string;
  readonly stepMin?: string;
  readonly stepRequests?: string;
  readonly bake?: string;
  readonly maxDuration?: string;
  readonly onTimeout?: string;
  readonly onBreach?: string;
  readonly alpha?: string;
  readonly guards?: string;
  readonly slowAfter?: string;
  readonly gates?: string;
  readonly checks?: string;
  readonly reason?: string;
}

/** The body of `POST /admin/rollouts`: the plan's file, and what the options say over it. */
export function planBody(candidate: string | undefined, flags: PlanFlags): Record<string, unknown> {
  const file = flags.plan === undefined ? {} : readPlan(flags.plan);
  const given = {
    candidate,
    expect: flags.expect,
    steps: percents(flags.steps, "--steps"),
    step_min: flags.stepMin,
    step_requests: number(flags.stepRequests, "--step-requests"),
    bake: flags.bake,
    max_duration: flags.maxDuration,
    on_timeout: flags.onTimeout,
    on_breach: flags.onBreach,
    alpha: number(flags.alpha, "--alpha"),
    guards: guards(flags),
    slow_after: flags.slowAfter,
    gates: percents(flags.gates, "--gates"),
    checks: flags.checks === undefined ? undefined : names(flags.checks),
    reason: flags.reason,
  };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const body = { ...(flags.slowAfter === undefined ? file : withoutAfter(file)), ...set };
  if (typeof body.candidate !== "string") {
    throw usageError("no candidate is named: give the color, such as `sluice rollout start green`.");
  }
  return body;
}

/** No text in UTF-8 has these, but a plan that somebody mistook for one. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\uFFFD]/;
/** Characters of a parser's message, which may quote the file. */
const LONGEST = 100;

/** The keys of a plan's file. @throws CliError of usage */
export function readPlan(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw usageError(`the plan ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  if (UNPRINTABLE.test(text)) throw usageError(`the plan ${path} is not text; expected YAML or JSON.`);
  try {
    const value: unknown = parse(text, { logLevel: "error" });
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (error) {
    throw usageError(`the plan ${path} is not YAML or JSON (${shortened((error as Error).message)}).`);
  }
  throw usageError(`the plan ${path} is not a mapping; expected keys such as steps: [5, 25, 50, 100].`);
}

/** What a parser says, without what it quotes of lines below, and without what moves a terminal's cursor. */
function shortened(message: string): string {
  const line = message.split("\n")[0]!.replace(/\p{Cc}/gu, " ");
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`;
}

/** `--slow-after` is about `slow`, so that it needs no second word. */
function guards({ guards: list, slowAfter }: PlanFlags): string[] | undefined {
  if (list === undefined) return undefined;
  return [...new Set([...names(list), ...(slowAfter === undefined ? [] : ["slow"])])];
}

/** A plan without its own word on what `--slow-after` says: the router refuses both. */
function withoutAfter(plan: Record<string, unknown>): Record<string, unknown> {
  const guards = (plan.guards ?? {}) as Record<string, unknown>;
  if (typeof guards.slow !== "object" || guards.slow === null) return plan;
  const { after: _, ...slow } = guards.slow as Record<string, unknown>;
  return { ...plan, guards: { ...guards, slow } };
}

const names = (list: string) =>
  list
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

function percents(list: string | undefined, option: string): number[] | undefined {
  return list?.split(",").map((text) => {
    const percent = Number(text.trim().replace(/%$/, ""));
    if (text.trim() !== "" && Number.isFinite(percent)) return percent;
    throw usageError(`${option} is ${JSON.stringify(list)}; expected percentages, such as 5,25,50,100.`);
  });
}

function number(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw usageError(`${option} is ${JSON.stringify(text)}; expected a number.`);
}
