import type { Command } from "commander";
import { CliError } from "./errors.ts";
import type { BadLine } from "./feedback/read.ts";
import type { Summary } from "./feedback/send.ts";
import { connect, globalsOf } from "./globals.ts";
import { complain, print, printJson } from "./output.ts";

/** Refused lines that are told one by one. */
const MOST_TOLD = 20;
/** Milliseconds between two lines of progress. */
const PAUSE = 5000;

export function addFeedback(program: Command): void {
  program
    .command("feedback")
    .summary("say what turned out to be so")
    .description(
      [
        "Posts actual values by request id, as JSON lines or as CSV with a header:",
        "",
        '  {"request_id":"5f0c","actual":12.5}        request_id,actual',
        '  {"request_id":"61aa","actual":[8.1,null]}  5f0c,12.5',
        "",
        "A request of several rows has a list, or `row` from 0. Lines that are refused are named and left out; then it exits",
        "with 1. Sending a file again does no harm. A token of the scope `feedback` is enough.",
      ].join("\n"),
    )
    .argument("<file>", "- reads standard input")
    .addHelpText(
      "after",
      "\nExamples:\n  $ sluice feedback actuals.csv\n  $ psql -c 'copy …' | sluice feedback - --token-file feedback-token",
    )
    .action(feedback);
}

async function feedback(path: string, _options: unknown, self: Command): Promise<void> {
  const { sendFeedback } = await import("./feedback/send.ts");
  const name = path === "-" ? "standard input" : path;
  let told = 0;
  let next = performance.now() + PAUSE;
  const summary = await sendFeedback({
    path,
    admin: connect(self),
    onRefused: ({ number, why }: BadLine) => {
      if (told++ < MOST_TOLD) complain(`${name}, line ${number}: ${why}.`);
    },
    onProgress: (items) => {
      if (performance.now() < next) return;
      next = performance.now() + PAUSE;
      process.stderr.write(`${items} items\n`);
    },
  });
  if (globalsOf(self).json) printJson(summary);
  else print(describe(summary));
  if (!summary.saved) complain("the router could not save it yet; it goes on trying.");
  if (summary.refused > 0) throw new CliError(`${summary.refused} lines of ${name} were refused.`);
}

function describe({ items, accepted, repeated, unknown }: Summary): string {
  return `${items} items: ${accepted} new, ${repeated} known already, ${unknown} of requests that the router does not remember`;
}
