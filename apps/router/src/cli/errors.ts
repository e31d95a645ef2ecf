import { CommanderError } from "commander";

/** Why a verb failed: one sentence for stderr, and the exit code. 1: the router is not there or refuses; 2: bad usage. */
export class CliError extends Error {
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}

export const usageError = (message: string) => new CliError(message, 2);

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof CliError ? error.exitCode : 1;
}
