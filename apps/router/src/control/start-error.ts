/** Why the control plane cannot start, in one sentence that says what to do. The command prints it and exits. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
  }
}

/** What the disk refuses, by the path that it is about. */
export function unusable(path: string, expected: string, error: unknown): StartError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  return new StartError(`${path} cannot be used (${code}): expected ${expected}.`, { cause: error });
}
