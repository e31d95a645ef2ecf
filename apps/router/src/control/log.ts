type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** What the control plane needs of a logger; pino has it. */
export interface Log {
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}
