import { join } from "node:path";
import { Command } from "commander";
import { InputProblem } from "../problem.ts";
import { reporterFor } from "../progress.ts";
import { train } from "../train.ts";
import { trainBoth } from "../train-both.ts";
import { runCommand, userPath } from "./run.ts";

interface Flags {
  csv?: string;
  recipe?: string;
  version?: string;
  out?: string;
  seed: string;
}

const root = join(import.meta.dirname, "..", "..", "..");
const help = `
Without options: trains baseline into artifacts/1.0.0 and full into artifacts/1.0.1,
from data/uber.csv if it is there, else from data/sample.csv.

Example:
  npm run -s train -- --csv data/sample.csv --recipe full --version 1.0.1 --out artifacts/1.0.1`;

const command = new Command("train")
  .description("Fits a taxi-fare model and writes model.json, metrics.json and report.html.")
  .option("--csv <file>", "trips to train on")
  .option("--recipe <name>", "baseline or full")
  .option("--version <version>", "semantic version of the model, such as 1.0.0")
  .option("--out <folder>", "where the three files go")
  .option("--seed <number>", "deals the rows into train and test", "1")
  .addHelpText("after", help)
  .exitOverride()
  .action(async (flags: Flags) => {
    const reporter = reporterFor(process.stdout);
    if (process.argv.length <= 2) return void (await trainBoth(root, reporter));
    const { csv, recipe, version, out } = required(flags);
    const seed = seedOf(flags.seed);
    const given = { csv: userPath(csv), recipe, version, out: userPath(out), seed, reporter };
    const now = sourceDate();
    await train(now ? { ...given, now } : given);
  });

function required({ csv, recipe, version, out }: Flags) {
  if (csv && recipe && version && out) return { csv, recipe, version, out };
  const missing = Object.entries({ csv, recipe, version, out }).flatMap(([name, value]) =>
    value ? [] : `--${name}`,
  );
  throw new InputProblem(`${missing.join(", ")} must be given a value.`);
}

function seedOf(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new InputProblem(`--seed is "${text}": expected a whole number from 0 to 4294967295.`);
}

/** What builds that others should be able to repeat use instead of the present (reproducible-builds.org). */
function sourceDate(): Date | undefined {
  const { SOURCE_DATE_EPOCH: text = "" } = process.env;
  if (text === "") return undefined;
  if (/^\d{1,10}$/.test(text)) return new Date(Number(text) * 1000);
  throw new InputProblem(`SOURCE_DATE_EPOCH is "${text}": expected whole seconds since 1970.`);
}

await runCommand("train", async () => void (await command.parseAsync()));
