import { Command } from "commander";
import { gate, TOLERANCE } from "../gate.ts";
import { InputProblem } from "../problem.ts";
import { runCommand, userPath } from "./run.ts";

interface Flags {
  candidate: string;
  stable?: string;
  csv: string;
  tolerance: string;
}

const help = `
Exit status: 0 it ships, 1 it does not, 2 bad usage or a file that cannot be used.
If a model was trained on the file itself, only the rows of its test split count. Without --stable it is the first
release, which ships if its predictions are finite.

Example:
  npm run -s gate -- --candidate artifacts/1.0.1/model.json --stable artifacts/1.0.0/model.json --csv data/sample.csv`;

const command = new Command("gate")
  .description(
    "Says whether a model ships: not if it is worse than the one in service, by RMSE on the same rows. Prints one JSON object; the sentence goes to stderr.",
  )
  .requiredOption("--candidate <file>", "the model.json that wants to ship")
  .option("--stable <file>", "the model.json in service")
  .requiredOption("--csv <file>", "trips that both should predict")
  .option("--tolerance <share>", "how much worse its RMSE may be, from 0 to 1", String(TOLERANCE))
  .addHelpText("after", help)
  .exitOverride()
  .action(async (flags: Flags) => {
    const verdict = await gate({
      candidate: userPath(named("--candidate", flags.candidate)),
      stable: flags.stable === undefined ? undefined : userPath(named("--stable", flags.stable)),
      csv: userPath(named("--csv", flags.csv)),
      tolerance: toleranceOf(flags.tolerance),
    });
    process.stdout.write(`${JSON.stringify(verdict)}\n`);
    process.stderr.write(`gate: ${verdict.reason}\n`);
    if (!verdict.ships) process.exitCode = 1;
  });

/** An empty value is what an unset variable leaves in a pipeline; it must not count as "no stable model". */
function named(option: string, path: string): string {
  if (path.trim() === "") throw new InputProblem(`${option} is empty: expected the path of a file.`);
  return path;
}

function toleranceOf(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 1) return value;
  throw new InputProblem(`--tolerance is "${text}": expected a share from 0 to 1, such as 0.02.`);
}

await runCommand("gate", async () => void (await command.parseAsync()));
