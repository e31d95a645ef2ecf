import { CommanderError } from "commander";
import { CliError } from "./errors.ts";
import { complain, endQuietlyOnBrokenPipe } from "./output.ts";
import { createProgram } from "./program.ts";

/** Errors that say all there is to say; their stack would help nobody. */
const SENTENCES: readonly string[] = ["CliError", "ConfigError", "StartError"];

endQuietlyOnBrokenPipe();
try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = report(error as Error);
}

function report(error: Error): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (SENTENCES.includes(error.name)) complain(error.message);
  else complain(`this should not happen, please report it: ${error.stack}`);
  return error instanceof CliError ? error.exitCode : 1;
}
