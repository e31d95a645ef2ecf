import { resolve } from "node:path";
import { CommanderError } from "commander";
import { InputProblem } from "../problem.ts";

/** Exit status for input that the user can mend. */
const BAD_INPUT = 2;

/** Paths are the user's: npm changes into the workspace's folder, and says in INIT_CWD where it was called. */
export function userPath(path: string): string {
  return resolve(process.env.INIT_CWD ?? process.cwd(), path);
}

/**
 * Runs a command: 0 when it is done, 2 and one sentence on stderr for bad input, 128 + n for signals.
 * The listeners see to it that a signal never lands between the names of finished files.
 */
export async function runCommand(name: string, command: () => Promise<void>): Promise<void> {
  for (const [signal, number] of [["SIGINT", 2] as const, ["SIGTERM", 15] as const, ["SIGHUP", 1] as const]) {
    process.once(signal, () => {
      process.stderr.write(`${name}: interrupted by ${signal}; files are as they were.\n`);
      process.exit(128 + number);
    });
  }
  try {
    await command();
  } catch (error) {
    process.exitCode = failed(name, error);
  }
}

function failed(name: string, error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : BAD_INPUT;
  if (!(error instanceof InputProblem)) throw error;
  process.stderr.write(`${name}: ${error.message}\n`);
  return BAD_INPUT;
}
