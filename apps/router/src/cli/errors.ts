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
