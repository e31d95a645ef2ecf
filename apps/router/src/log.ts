import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import type { LogConfig } from "./config/config.ts";

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

const SECRETS = ["token", "secret", "password", "authorization", "cookie", "x-sluice-secret"];
const PLACES = ["", "*.", "*.*.", "*.*.*."];
const paths = PLACES.flatMap((place) =>
  SECRETS.map((name) => (name.includes("-") ? `${place.replace(/\.$/, "")}["${name}"]` : `${place}${name}`)),
);

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
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths, censor: "***" },
    },
    stream ?? pino.destination({ dest: 1, sync: false }),
  );
}

/** Resolves when all that was logged has been handed to the system; to be awaited before `process.exit`. */
export function flushLog(log: Logger): Promise<void> {
  return new Promise((resolve) => log.flush(() => resolve()));
}
