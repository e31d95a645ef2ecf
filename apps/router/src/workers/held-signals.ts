const ENDS = ["SIGTERM", "SIGINT"] as const;

/**
 * Keeps signals that would end the process until there is somebody to obey them: a router that died between finding
 * workers and taking them into service would leave them behind, though it was told to end.
 */
export class HeldSignals {
  #held: NodeJS.Signals | undefined;
  readonly #hold = (signal: NodeJS.Signals) => {
    this.#held = signal;
  };

  constructor() {
    for (const signal of ENDS) process.on(signal, this.#hold);
  }

  /** Passes on what came, once whoever called this has had its turn. */
  release(): void {
    this.drop();
    const held = this.#held;
    if (held) setImmediate(() => process.kill(process.pid, held));
  }

  drop(): void {
    for (const signal of ENDS) process.off(signal, this.#hold);
  }
}
