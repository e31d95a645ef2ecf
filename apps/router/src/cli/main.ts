import { CommanderError } from "commander";
import { exitCodeOf } from "./errors.ts";
import { complain, endQuietlyOnBrokenPipe } from "./output.ts";
import { createProgram } from "./program.ts";

/** Errors that say all there is to say; their stack would help nobody. */
const SENTENCES: readonly string[] = ["CliError", "ConfigError", "StartError"];

endQuietlyOnBrokenPipe();
try {
  await createProgram().parseAsync();
} catch (error) {
  report(error as Error);
  process.exitCode = exitCodeOf(error);
}

function report(error: Error): void {
  if (error instanceof CommanderError) return; // commander has said it
  if (SENTENCES.includes(error.name)) complain(error.message);
  else complain(`this should not happen, please report it: ${error.stack}`);
}
