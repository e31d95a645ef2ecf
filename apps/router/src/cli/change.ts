import type { Command } from "commander";
import { parseDuration } from "../config/units.ts";
import type { ChangeAnswer } from "./admin-types.ts";
import { CliError, usageError } from "./errors.ts";
import { formatWeights } from "./format.ts";
import { connect, globalsOf } from "./globals.ts";
import { complain, print, printJson } from "./output.ts";

export interface ChangeOptions {
  readonly reason?: string;
  readonly wait?: boolean;
  readonly timeout?: string;
  readonly ifMatch?: string;
  readonly abortRollout?: boolean;
}

/** The options of every verb that moves traffic. */
export function addChangeOptions(command: Command): Command {
  return command
    .option("--reason <text>", "why, for the history")
    .option("--wait", "answer when the colors at 0 have nothing left in flight")
    .option("--timeout <duration>", "how long --wait may take", "30s")
    .option("--if-match <revision>", "refuse when somebody else changed something since this revision");
}

/** For the verbs that are refused while a rollout moves the weights. */
export function addAbortRollout(command: Command): Command {
  return command.option("--abort-rollout", "abort the rollout that runs; without, one refuses the change");
}

/** Asks for a change and says what it did. */
export async function change(command: Command, path: string, body: object): Promise<void> {
  const { reason, wait, timeout, ifMatch, abortRollout } = command.opts<ChangeOptions>();
  const patience = wait ? duration(timeout ?? "30s") : 0;
  const client = connect(command);
  const answer = await client.call<ChangeAnswer>(path, {
    method: "POST",
    body: { ...body, ...(reason !== undefined && { reason }), ...(abortRollout && { abort_rollout: true }) },
    ifMatch: ifMatch === undefined ? undefined : revision(ifMatch),
    wait: patience,
    ...(wait ? { query: { wait: "drained", timeout: timeout ?? "30s" } } : {}),
  });
  if (typeof answer.weights !== "object" || answer.weights === null)
    throw client.foreign("its answer has no weights");
  if (globalsOf(command).json) printJson(answer);
  else print(describe(answer));
  if (answer.saved === false)
    complain("the change is in force but could not be saved; the router goes on trying.");
  if (answer.drained === false) throw new CliError(notDrained(answer, timeout ?? "30s"));
}

function describe({ weights, previous, revision }: ChangeAnswer): string {
  return `${formatWeights(weights)} (was ${formatWeights(previous)}; revision ${revision})`;
}

function notDrained({ in_flight = {} }: ChangeAnswer, timeout: string): string {
  const left = Object.entries(in_flight).filter(([, count]) => count > 0);
  const what =
    left.map(([color, count]) => `${color} has ${count} in flight`).join(", ") || "a worker is behind";
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
