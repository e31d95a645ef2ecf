/** Why the control plane cannot start, in one sentence that says what to do. The command prints it and exits. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
  }
}
