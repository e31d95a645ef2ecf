import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import type { LogConfig } from "./config/config.ts";
import { LogSink } from "./log-sink.ts";

export type { Logger } from "pino";

/** One request's line in the log, written with the message `request`. */
export interface AccessLine {
  readonly request_id: string;
  /** Unknown methods as they came. */
  readonly method: string;
  /** Without the query, which may hold personal data. */
  readonly path: string;
  /** What the client was answered; 499 when it went away first. */
  readonly status: number;
  /** The color that answered; `none` if none did. */
  readonly color: string;
  readonly target: string | undefined;
  /** Attempts made, the first included. */
  readonly attempts: number;
  readonly duration_ms: number;
  /** Of the answer's body. */
  readonly bytes: number;
  /** The client's address. */
  readonly client: string;
  /** A name of the outcome table. */
  readonly outcome: string;
}

const SECRETS: ReadonlySet<string> = new Set([
  "token",
  "secret",
  "password",
  "authorization",
  "cookie",
  "x-sluice-secret",
]);
const DEEPEST = 4;

/** A copy without secrets, by the names of their keys. pino's own redaction of nested keys costs 70 µs a line; this, 1. */
function withoutSecrets(object: Record<string, unknown>, depth = 1): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const key in object) {
    const value = object[key];
    if (SECRETS.has(key)) copy[key] = "***";
    else copy[key] = isPlain(value) && depth < DEEPEST ? withoutSecrets(value, depth + 1) : value;
  }
  return copy;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/**
 * JSON lines with `time` in ISO 8601 and `level` as a word. Lines go to stdout without making a request wait for
 * whoever reads it, and are written out when the process exits. Secrets, up to three objects deep, are `***`.
 * @param stream where lines go instead, for tests
 */
export function createLog({ level }: Pick<LogConfig, "level">, stream?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withoutSecrets },
    },
    stream ?? new LogSink(),
  );
}

/** Milliseconds that a reader of stdout may hold up the end. */
const PATIENCE = 1000;

/**
 * Resolves when all that was logged has been handed to the system, or when nobody takes it; to be awaited before
 * `process.exit`.
 */
export function flushLog(log: Logger): Promise<void> {
  return new Promise((resolve) => {
    // a reader that is stopped, as a pager is, takes nothing and never goes
    const timer = setTimeout(resolve, PATIENCE);
    log.flush(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
