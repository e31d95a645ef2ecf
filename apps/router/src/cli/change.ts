import type { Command } from "commander";
import { parseDuration } from "../config/units.ts";
import type { Call } from "./admin-client.ts";
import type { ChangeAnswer } from "./admin-types.ts";
import { CliError, usageError } from "./errors.ts";
import { formatWeights } from "./format.ts";
import { connect, globalsOf } from "./globals.ts";
import { complain, print, printJson } from "./output.ts";

export interface ChangeOptions {
  readonly reason?: string;
  readonly wait?: boolean;
  readonly tunnels?: boolean;
  readonly timeout?: string;
  readonly ifMatch?: string;
  readonly abortRollout?: boolean;
}

/** The options of every verb that moves traffic. */
export function addChangeOptions(command: Command): Command {
  return command
    .option("--reason <text>", "why, for the history")
    .option("--wait", "answer when the colors at 0 have nothing left in flight")
    .option("--tunnels", "have --wait wait for WebSockets and event streams, too")
    .option("--timeout <duration>", "how long --wait may take", "30s")
    .option("--if-match <revision>", "refuse when somebody else changed something since this revision");
}

/** For the verbs that are refused while a rollout moves the weights. */
export function addAbortRollout(command: Command): Command {
  return command.option("--abort-rollout", "abort the rollout that runs; without, one refuses the change");
}

/** Asks for a change of weights and says what it did. */
export function change(command: Command, path: string, body: object): Promise<void> {
  return ask<ChangeAnswer>(command, path, body, {
    fault: ({ weights }) =>
      typeof weights === "object" && weights !== null ? undefined : "its answer has no weights",
    describe,
  });
}

type Answer = Pick<ChangeAnswer, "saved" | "drained" | "in_flight" | "tunnels">;

interface About<A> {
  /** Why this is no router's answer; undefined: it is one. */
  readonly fault: (answer: A) => string | undefined;
  /** What it has done, in a line. */
  readonly describe: (answer: A) => string;
}

/** Sends a command with the options of {@link addChangeOptions}, and says what came of it. */
export async function ask<A extends Answer>(
  command: Command,
  path: string,
  body: object,
  about: About<A>,
): Promise<void> {
  const { reason, wait, tunnels, timeout, ifMatch, abortRollout } = command.opts<ChangeOptions>();
  if (tunnels && !wait) throw usageError("--tunnels says what to wait for, but --wait is missing.");
  const patience = wait ? duration(timeout ?? "30s") : 0;
  const client = connect(command);
  const call: Call = {
    method: "POST",
    body: { ...body, ...(reason !== undefined && { reason }), ...(abortRollout && { abort_rollout: true }) },
    ifMatch: ifMatch === undefined ? undefined : revision(ifMatch),
    wait: patience,
    ...(wait
      ? { query: { wait: "drained", timeout: timeout ?? "30s", ...(tunnels ? { tunnels: "true" } : {}) } }
      : {}),
  };
  const answer = await client.call<A>(path, call, about.fault);
  if (globalsOf(command).json) printJson(answer);
  else print(about.describe(answer));
  if (answer.saved === false)
    complain("the change is in force but could not be saved; the router goes on trying.");
  if (answer.drained === false) throw new CliError(notDrained(answer, timeout ?? "30s"));
}

function describe({ weights, previous, revision }: ChangeAnswer): string {
  return `${formatWeights(weights)} (was ${formatWeights(previous)}; revision ${revision})`;
}

function notDrained({ in_flight = {}, tunnels = {} }: Answer, timeout: string): string {
  const said = (counts: Readonly<Record<string, number>>, what: string) =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([color, count]) => `${color} has ${count} ${what}`);
  const left = [...said(in_flight, "in flight"), ...said(tunnels, "tunnels open")];
  const what = left.join(", ") || "a worker is behind";
  return `the change is in force, but after ${timeout} it is not drained: ${what}.`;
}

function duration(text: string): number {
  try {
    return parseDuration(text, { zero: true });
  } catch (error) {
    throw usageError(`--timeout is ${JSON.stringify(text)}; ${(error as Error).message}.`);
  }
}

function revision(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw usageError(`--if-match is ${JSON.stringify(text)}; expected a revision, such as 12.`);
}
