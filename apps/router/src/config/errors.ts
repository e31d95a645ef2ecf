/** One thing that is wrong with a configuration. `key` is dotted, as in `admin.tokens[1].scope`; "" is the file itself. */
export interface Problem {
  readonly key: string;
  /** A sentence that names the key, the value and what was expected; secrets are never in it. */
  readonly message: string;
}

/** A configuration that cannot be used. The message names the file, and lists every problem on a line of its own. */
export class ConfigError extends Error {
  readonly file: string;
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[]) {
    super(summary(file, problems));
    this.name = "ConfigError";
    this.file = file;
    this.problems = problems;
  }
}

function summary(file: string, problems: readonly Problem[]): string {
  if (problems.length === 1) return `${file}: ${problems[0]?.message}`;
  const lines = problems.map(({ message }) => `  ${message}`);
  return [`${file} has ${problems.length} problems:`, ...lines].join("\n");
}

/** Thrown by a parser of one value; the message says what was expected, and the caller adds the key and the value. */
export class Refused extends Error {
  /** `Refused.expected("a whole number")` reads "… is 1.5; expected a whole number." */
  static expected(what: string): Refused {
    return new Refused(`expected ${what}`);
  }
}
