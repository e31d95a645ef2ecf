import type { Command } from "commander";
import { ALPHA } from "../core/verdict/guards.ts";
import { usageError } from "./errors.ts";
import { globalsOf } from "./globals.ts";
import { print } from "./output.ts";

export function addReplay(program: Command): void {
  program
    .command("replay")
    .summary("compute a verdict again from recorded evidence")
    .description(
      [
        "Reads evidence, one JSON object a line, and says of each guard what it amounts to:",
        "",
        '  {"rho":0.05,"candidate":true,"bad":true,"guard":"errors"}',
        "",
        'rho is the candidate\'s weight at assignment, 0 to 1; "n":12 stands for twelve such requests. The guards of one',
        "file share alpha: with K of them, one rolls back at an evidence of K / alpha. `sluice rollout export --evidence`",
        'writes such lines, with "phi0", "ratios", "max" and "alpha" where the release had others than usual.',
      ].join("\n"),
    )
    .requiredOption("--evidence <file>", "JSON lines; - reads standard input")
    .option(
      "--alpha <number>",
      `the risk of rolling back an innocent candidate (default: the file's, or ${ALPHA})`,
    )
    .option("--phi0 <number>", "tolerated ratio of the rates (default 1; for the guard slow 1.2)")
    .addHelpText(
      "after",
      "\nExamples:\n  $ sluice replay --evidence evidence.jsonl\n  $ sluice replay --evidence - --alpha 0.05 --json < evidence.jsonl",
    )
    .action(replay);
}

interface Options {
  readonly evidence: string;
  readonly alpha?: string;
  readonly phi0?: string;
}

async function replay({ evidence, alpha, phi0 }: Options, self: Command): Promise<void> {
  const risk = alpha === undefined ? undefined : numberOf("--alpha", alpha);
  if (risk !== undefined && !(risk >= 1e-12 && risk < 1))
    throw usageError(`--alpha is ${alpha}; expected a number below 1 and at least 1e-12, such as 0.01.`);
  const ratio = phi0 === undefined ? undefined : numberOf("--phi0", phi0);
  if (ratio !== undefined && !(ratio >= 1e-6 && ratio <= 1e6))
    throw usageError(`--phi0 is ${phi0}; expected a number from 0.000001 to 1,000,000, such as 1.2.`);
  const { readEvidence } = await import("./replay/read.ts");
  const { readings, leftOut } = await readEvidence(evidence, { alpha: risk, phi0: ratio });
  if (globalsOf(self).json) {
    for (const { guard, e, log10_e, threshold, verdict } of readings)
      print(JSON.stringify({ guard, e, log10_e, threshold, verdict: shortOf(verdict) }));
    return;
  }
  const { replayText } = await import("./replay/text.ts");
  print(replayText(readings, leftOut));
}

/** For programs, which ask whether it rolls back: who pauses holds. */
function shortOf(verdict: "rollback" | "pause" | "hold"): "rollback" | "hold" {
  return verdict === "rollback" ? verdict : "hold";
}

function numberOf(option: string, text: string): number {
  if (/^\d*\.?\d+(e[+-]?\d+)?$/i.test(text)) return Number(text);
  throw usageError(`${option} is ${JSON.stringify(text)}; expected a number.`);
}
