import { parseArgs } from "node:util";

/** How the server runs. Flags win over the environment, which wins over the defaults. */
export interface Options {
  /** TCP port; 0 lets the system choose. @default 8001 */
  readonly port: number;
  /** Address to listen on. @default "127.0.0.1"; an image sets 0.0.0.0 */
  readonly host: string;
  /** Path of `model.json`; a relative one is seen from the working folder. Absent: no model. */
  readonly model?: string;
  /** The slot that this process fills, for its answers and metrics. @default "none" */
  readonly color: string;
  /** pino's level. `debug` logs each request. @default "info" */
  readonly logLevel: string;
  /** Largest request body in bytes. @default 4 MiB, where 10,000 rows have 419 bytes each */
  readonly bodyLimit: number;
  readonly drain: DrainOptions;
}

/** How the server ends, in milliseconds from the signal. */
export interface DrainOptions {
  /**
   * Longest time that new connections are still taken, for balancers to notice: three checks, two seconds apart, and a
   * quiet second. Docker kills after ten. @default 8 s
   */
  readonly delay: number;
  /** They are taken no longer once no request (but checks) came for this long. @default 1 s */
  readonly quiet: number;
  /** After this, what is still in flight is cut. @default 30 s */
  readonly timeout: number;
}

/** A value that cannot be used. The message is one sentence that names it and says what was expected. */
export class OptionError extends Error {
  override readonly name = "OptionError";
}

interface Setting {
  readonly env: string;
  readonly value: string;
  readonly help: string;
}

const SETTINGS: Readonly<Record<string, Setting>> = {
  port: { env: "PORT", value: "8001", help: "TCP port; 0 lets the system choose" },
  host: { env: "HOST", value: "127.0.0.1", help: "address to listen on" },
  model: { env: "MODEL_PATH", value: "", help: "path of model.json; without it there are no predictions" },
  color: { env: "COLOR", value: "none", help: "the slot that this process fills, such as blue" },
  "log-level": { env: "LOG_LEVEL", value: "info", help: "debug logs each request" },
  "body-limit": { env: "BODY_LIMIT", value: "4MiB", help: "largest request body" },
  "drain-delay": { env: "DRAIN_DELAY", value: "8s", help: "on SIGTERM: longest time to go on accepting" },
  "drain-quiet": { env: "DRAIN_QUIET", value: "1s", help: "... ended early by this long without requests" },
  "drain-timeout": { env: "DRAIN_TIMEOUT", value: "30s", help: "... after which what is in flight is cut" },
};

const LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"];

/** The text for `--help`. */
export const USAGE = [
  "Usage: model-api [options]",
  "",
  "  node apps/model-api/src/main.ts --port 8001 --color blue --model artifacts/1.0.0/model.json",
  "",
  ...Object.entries(SETTINGS).map(([flag, { env, value, help }]) => {
    const end = value ? ` (default ${value})` : "";
    return `  ${`--${flag}`.padEnd(16)} ${env.padEnd(14)} ${help}${end}`;
  }),
].join("\n");

/**
 * Reads flags and environment; undefined when help was asked for.
 * @throws OptionError for the first value that cannot be used
 */
export function parseOptions(args: readonly string[], env: NodeJS.ProcessEnv): Options | undefined {
  const flags = parseFlags(args);
  if (flags.help) return undefined;
  const read = <T>(flag: string, parse: (text: string) => T | undefined, expected: string): T => {
    const { env: variable, value } = SETTINGS[flag]!;
    const given = flags[flag] as string | undefined;
    const text = given ?? (env[variable] || value);
    const parsed = parse(text);
    if (parsed !== undefined) return parsed;
    const origin = given === undefined ? variable : `--${flag}`;
    throw new OptionError(`${origin} is ${JSON.stringify(text)}: expected ${expected}.`);
  };
  const model = read("model", (text) => text, "a path");
  return {
    port: read("port", parsePort, "a whole number from 0 to 65535"),
    host: read("host", (text) => text || undefined, "an address"),
    ...(model ? { model } : {}),
    color: read("color", parseColor, "1 to 64 letters, digits, - or _"),
    logLevel: read(
      "log-level",
      (text) => LEVELS.find((level) => level === text),
      `one of ${LEVELS.join(", ")}`,
    ),
    bodyLimit: read("body-limit", parseSize, "a size such as 4MiB, from 1 KiB to 1 GiB"),
    drain: {
      delay: read("drain-delay", parseDuration, "a duration such as 500ms or 10s, up to an hour"),
      quiet: read("drain-quiet", parseDuration, "a duration such as 500ms or 10s, up to an hour"),
      timeout: read("drain-timeout", parseDuration, "a duration such as 500ms or 10s, up to an hour"),
    },
  };
}

function parseFlags(args: readonly string[]): Record<string, string | boolean | undefined> {
  const strings = Object.keys(SETTINGS).map((flag) => [flag, { type: "string" as const }]);
  try {
    const options = { ...Object.fromEntries(strings), help: { type: "boolean" as const, short: "h" } };
    return parseArgs({ args: [...args], options }).values as Record<string, string | boolean | undefined>;
  } catch (error) {
    throw new OptionError(
      `${(error as Error).message.split(/\.\s/)[0]?.replace(/\.$/, "")}; --help lists the options.`,
    );
  }
}

function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

function parseColor(text: string): string | undefined {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text) ? text : undefined;
}

function parseSize(text: string): number | undefined {
  const match = /^(\d{1,10})(B|KiB|MiB|GiB)?$/.exec(text);
  const unit = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }[match?.[2] ?? "B"]!;
  const bytes = Number(match?.[1]) * unit;
  return bytes >= 2 ** 10 && bytes <= 2 ** 30 ? bytes : undefined;
}

function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,7})(ms|s|m)$|^0$/.exec(text);
  if (!match) return undefined;
  const milliseconds = Number(match[1] ?? 0) * { ms: 1, s: 1000, m: 60_000 }[match[2] ?? "ms"]!;
  return milliseconds <= 3_600_000 ? milliseconds : undefined;
}
