import { Command } from "commander";
import { evaluate } from "../evaluate.ts";
import { runCommand, userPath } from "./run.ts";

const help = `
Example:
  npm run -s evaluate -- --model artifacts/1.0.1/model.json --csv data/sample.csv`;

const command = new Command("evaluate")
  .description(
    "Measures a model on trips and prints one JSON object: rmse, mae, r2, rows_used, rows_dropped.",
  )
  .requiredOption("--model <file>", "the model.json to measure")
  .requiredOption("--csv <file>", "trips that it should predict")
  .addHelpText("after", help)
  .exitOverride()
  .action(async (flags: { model: string; csv: string }) => {
    const evaluation = await evaluate(userPath(flags.model), userPath(flags.csv));
    process.stdout.write(`${JSON.stringify(evaluation)}\n`);
  });

await runCommand("evaluate", async () => void (await command.parseAsync()));
