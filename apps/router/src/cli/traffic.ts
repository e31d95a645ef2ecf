import type { Command } from "commander";
import { parseDuration } from "../config/units.ts";
import { CliError, usageError } from "./errors.ts";
import { connect, globalsOf } from "./globals.ts";
import { print } from "./output.ts";
import type { TrafficSummary } from "./traffic/run.ts";

const DEFAULT_URL = "http://127.0.0.1:8080";
const MOST_RPS = 100_000;
const MOST_ROWS = 1000;

export function addTraffic(program: Command): void {
  program
    .command("traffic")
    .summary("send real trips to the router at a steady rate")
    .description(
      [
        "Reads taxi trips from a CSV file with the columns of data/README.md and asks the router for their fares, at a rate that",
        "does not wait for answers. Latency counts from the moment at which a request was due. Ends with the file, or when",
        "--duration or --requests is reached, or at Ctrl-C, and says what came of it. Exits with 1 if no request was answered with a",
        "prediction, or none of the feedback was taken.",
      ].join("\n"),
    )
    .requiredOption("--csv <file>", "trips; rows that the trainer would drop are left out")
    .requiredOption("--rps <number>", "requests a second")
    .option("--url <url>", `the router's address (env SLUICE_URL, default ${DEFAULT_URL})`)
    .option("--duration <time>", "how long, such as 30s or 10m")
    .option("-n, --requests <number>", "how many requests")
    .option("--loop", "begin again at the end of the file")
    .option("--seed <number>", "shuffle the trips, always alike for the same number")
    .option("--batch <rows>", "trips in one request", "1")
    .option("--timeout <time>", "how long an answer may take", "10s")
    .option("--feedback", "post the actual fares to the admin API's /feedback")
    .option("--feedback-delay <time>", "how much later; the router needs a moment to note a request", "1s")
    .option("--admin-url <url>", "the same as --admin")
    .option("--strict", "exit with 1 if any request failed, or any feedback was not taken")
    .addHelpText(
      "after",
      "\nExamples:\n  $ sluice traffic --csv data/sample.csv --rps 50 --duration 1m\n  $ sluice traffic --csv data/uber.csv --rps 200 --loop --seed 1 --feedback",
    )
    .action(traffic);
}

interface Options {
  readonly csv: string;
  readonly rps: string;
  readonly url?: string;
  readonly duration?: string;
  readonly requests?: string;
  readonly loop?: boolean;
  readonly seed?: string;
  readonly batch: string;
  readonly timeout: string;
  readonly feedback?: boolean;
  readonly feedbackDelay: string;
  readonly adminUrl?: string;
  readonly strict?: boolean;
}

async function traffic(options: Options, self: Command): Promise<void> {
  if (options.adminUrl !== undefined) self.parent?.setOptionValue("admin", options.adminUrl);
  const plan = {
    csv: fileOf(options.csv),
    rps: numberOf(
      "--rps",
      options.rps,
      (value) => value > 0 && value <= MOST_RPS,
      `above 0 and up to ${MOST_RPS}`,
    ),
    url: addressOf(options.url ?? (process.env.SLUICE_URL || DEFAULT_URL)),
    duration: timeOf("--duration", options.duration),
    requests: options.requests === undefined ? undefined : wholeOf("--requests", options.requests, 1e12),
    loop: options.loop ?? false,
    seed: options.seed === undefined ? undefined : wholeOf("--seed", options.seed, 2 ** 32 - 1, 0),
    batch: wholeOf("--batch", options.batch, MOST_ROWS),
    timeout: timeOf("--timeout", options.timeout)!,
    feedback: options.feedback
      ? { admin: connect(self), delay: timeOf("--feedback-delay", options.feedbackDelay, true)! }
      : undefined,
  };
  const { replayTrips } = await import("./traffic/run.ts");
  const { summaryText } = await import("./traffic/text.ts");
  const summary = await replayTrips(plan);
  print(globalsOf(self).json ? JSON.stringify(summary) : summaryText(summary));
  judge(summary, plan.url, options.strict ?? false);
}

/** The exit code says whether it came to anything, and with `--strict` whether all did. @throws CliError */
function judge({ requests, failed, feedback }: TrafficSummary, url: string, strict: boolean): void {
  if (requests > 0 && failed === requests)
    throw new CliError(`no request to ${url} was answered with a prediction.`);
  if (strict && failed > 0) throw new CliError(`${failed} of ${requests} requests failed.`);
  if (feedback === null || feedback.failed === 0) return;
  const why = feedback.error!.replace(/\.$/, "");
  if (feedback.accepted + feedback.unknown === 0) throw new CliError(`no feedback was taken: ${why}.`);
  if (strict)
    throw new CliError(`the feedback on ${feedback.failed} of ${requests} requests was not taken: ${why}.`);
}

function numberOf(option: string, text: string, fits: (value: number) => boolean, expected: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (fits(value)) return value;
  throw usageError(`${option} is ${JSON.stringify(text)}; expected a number ${expected}.`);
}

function wholeOf(option: string, text: string, most: number, least = 1): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw usageError(`${option} is ${JSON.stringify(text)}; expected a whole number from ${least} to ${most}.`);
}

/** Milliseconds. */
function timeOf(option: string, text: string | undefined, zero = false): number | undefined {
  if (text === undefined) return undefined;
  try {
    return parseDuration(zero && /^0m?s$/.test(text) ? "0" : text, { zero });
  } catch (error) {
    throw usageError(`${option} is ${JSON.stringify(text)}; ${(error as Error).message}.`);
  }
}

/** The router's origin: requests go to its own path for predictions, and name no user. */
function addressOf(text: string): string {
  const url = /^https?:\/\//.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  const expected = `such as ${DEFAULT_URL}`;
  if (url === undefined)
    throw usageError(`the router's address is ${JSON.stringify(text)}; expected a URL ${expected}.`);
  if (url.username !== "" || url.password !== "")
    // a password is not repeated
    throw usageError(`the router's address names a user; expected a URL without one, ${expected}.`);
  if (url.href === `${url.origin}/`) return url.origin;
  throw usageError(
    `the router's address is ${JSON.stringify(text)}; expected a URL without a path, a query or a fragment, ${expected}.`,
  );
}

/** Trips are read before the first request, and some readers go through them by parts: no pipe will do. */
function fileOf(path: string): string {
  if (path !== "" && path !== "-") return path;
  throw usageError(`--csv is ${JSON.stringify(path)}; expected a file, such as data/sample.csv.`);
}
