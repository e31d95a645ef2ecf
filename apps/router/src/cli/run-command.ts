import { CommanderError } from "commander";
import { exitCodeOf } from "./errors.ts";
import { complain } from "./output.ts";
import { createProgram } from "./program.ts";

/** Errors that say all there is to say; their stack would help nobody. */
const SENTENCES: readonly string[] = ["CliError", "ConfigError", "StartError"];

/**
 * Runs the command with what was typed behind its name, and resolves with its exit code; what went wrong then stands on
 * stderr. Verbs that serve until they are told to end, and those that keep watch, exit by themselves.
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    report(error as Error);
    return exitCodeOf(error);
  }
}

function report(error: Error): void {
  if (error instanceof CommanderError) return; // commander has said it
  if (SENTENCES.includes(error.name)) complain(error.message);
  else complain(`this should not happen, please report it: ${error.stack}`);
}
