import type { Command } from "commander";
import { CliError, usageError } from "./errors.ts";
import { globalsOf } from "./globals.ts";
import { print, printJson } from "./output.ts";

const DEFAULT_URL = "http://127.0.0.1:8080";

/** From Times Square to John F. Kennedy airport, two people. */
export const SAMPLE_TRIP = {
  pickup_latitude: 40.758,
  pickup_longitude: -73.9855,
  dropoff_latitude: 40.6413,
  dropoff_longitude: -73.7781,
  passenger_count: 2,
  pickup_datetime: "2015-05-07T19:52:06Z",
};

interface Prediction {
  readonly predictions: readonly { readonly fare_amount: number }[];
  readonly model?: { readonly name?: string; readonly version?: string };
  readonly color?: string;
}

interface Answer {
  readonly fare_amount: number;
  readonly color: string;
  readonly version: string | undefined;
  readonly milliseconds: number;
}

export function addPredict(program: Command): void {
  program
    .command("predict")
    .summary("a ready-made prediction through the router")
    .description(
      "Asks the router for the fare from Times Square to John F. Kennedy airport, and says which color answered.",
    )
    .option("--url <url>", `the router's address (env SLUICE_URL, default ${DEFAULT_URL})`)
    .option("-n, --count <number>", "how many times, to see the split", "1")
    .addHelpText("after", "\nExamples:\n  $ sluice predict\n  $ sluice predict -n 100")
    .action(predict);
}

async function predict({ url, count }: { url?: string; count: string }, self: Command): Promise<void> {
  if (!/^[1-9]\d{0,4}$/.test(count)) {
    throw usageError(`--count is ${JSON.stringify(count)}; expected a whole number from 1 to 99999.`);
  }
  const base = url ?? (process.env.SLUICE_URL || DEFAULT_URL);
  if (!/^https?:\/\//.test(base) || !URL.canParse(base)) {
    throw usageError(
      `the router's address is ${JSON.stringify(base)}; expected a URL such as ${DEFAULT_URL}.`,
    );
  }
  const answers: Answer[] = [];
  for (let left = Number(count); left > 0; left--) answers.push(await ask(base));
  if (globalsOf(self).json) return printJson(count === "1" ? answers[0] : answers);
  const last = answers.at(-1) as Answer;
  const model = last.version ? ` ${last.version}` : "";
  print(`$${last.fare_amount.toFixed(2)} says ${last.color}${model}, in ${last.milliseconds.toFixed(1)} ms`);
  if (answers.length > 1) print(tally(answers));
}

async function ask(base: string): Promise<Answer> {
  const begun = performance.now();
  const response = await fetch(new URL("/api/predict/", base), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ data: [SAMPLE_TRIP] }),
    signal: AbortSignal.timeout(10_000),
  }).catch((error: Error & { cause?: NodeJS.ErrnoException }) => {
    const why =
      error.name === "TimeoutError" ? "no answer within 10 s" : (error.cause?.code ?? error.message);
    throw new CliError(
      `nothing answers at ${base} (${why}). Is the router running? Start it with \`npm start\`.`,
    );
  });
  const body = (await response.json().catch(() => ({}))) as Partial<Prediction> & { detail?: string };
  const fare = body.predictions?.[0]?.fare_amount;
  if (!response.ok || typeof fare !== "number") {
    throw new CliError(
      `${base} answered ${response.status}${body.detail ? `: ${body.detail}` : " without a prediction."}`,
    );
  }
  return {
    fare_amount: fare,
    color: response.headers.get("x-sluice-color") ?? body.color ?? "unknown",
    version: body.model?.version,
    milliseconds: performance.now() - begun,
  };
}

function tally(answers: readonly Answer[]): string {
  const counts = new Map<string, number>();
  for (const { color } of answers) counts.set(color, (counts.get(color) ?? 0) + 1);
  return [...counts]
    .sort()
    .map(([color, count]) => `${color} ${count}`)
    .join(", ");
}
