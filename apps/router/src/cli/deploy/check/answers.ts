import { z } from "zod";
import { type ModelFacts, modelSchema, questionOf } from "../../../checks/golden.ts";
import { CliError } from "../../errors.ts";
import { type FetchInit, fetchTarget } from "./fetch-target.ts";

/** Milliseconds that one answer of a model service may take while it is being checked. */
const PATIENCE = 10_000;

/** The contract's answer of `POST /api/predict/`. */
const predictionSchema = z.object({
  predictions: z.array(z.object({ fare_amount: z.number(), extrapolated: z.literal(true).optional() })),
  model: z.object({ name: z.string(), version: z.string(), digest: z.string() }),
  color: z.string(),
});
export type PredictionAnswer = z.infer<typeof predictionSchema>;

export interface Answer<T> {
  readonly value: T;
  readonly headers: Headers;
}

/** What a model service says it serves. @throws CliError no answer, or one of another shape */
export async function askModel(base: string, signal: AbortSignal): Promise<ModelFacts> {
  return (await ask(`${base}/model`, modelSchema, { signal })).value;
}

/** Predictions for trips. @throws CliError no answer, another status, or one of another shape */
export async function predict(
  base: string,
  trips: readonly object[],
  signal: AbortSignal,
): Promise<Answer<PredictionAnswer>> {
  const answer = await ask(`${base}/api/predict/`, predictionSchema, {
    signal,
    method: "POST",
    body: questionOf(trips),
    // a connection of its own: with several workers each may be asked
    headers: { "Content-Type": "application/json", Connection: "close" },
  });
  const { length } = answer.value.predictions;
  if (length === trips.length) return answer;
  throw new CliError(
    `POST ${base}/api/predict/ answers ${length} predictions for ${trips.length} trips; expected one for each.`,
  );
}

async function ask<T>(url: string, schema: z.ZodType<T>, init: FetchInit): Promise<Answer<T>> {
  const what = `${init.method ?? "GET"} ${url}`;
  const signal = AbortSignal.any([init.signal, AbortSignal.timeout(PATIENCE)]);
  try {
    const response = await fetchTarget(url, { ...init, signal });
    const text = await response.text();
    if (response.status !== 200) {
      throw new CliError(`${what} answers ${response.status}; expected 200${detail(text)}.`);
    }
    return { value: read(what, text, schema), headers: response.headers };
  } catch (error) {
    init.signal.throwIfAborted();
    if (error instanceof CliError) throw error;
    const { name, cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
    const why = name === "TimeoutError" ? `nothing within ${PATIENCE / 1000} s` : (cause?.code ?? message);
    throw new CliError(`${what} has no answer (${why}).`);
  }
}

function read<T>(what: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CliError(`${what} answers what is not JSON: ${JSON.stringify(text.slice(0, 60))}.`);
  }
  const { data, error } = schema.safeParse(value);
  if (data) return data;
  const { path, message } = error!.issues[0]!;
  throw new CliError(
    `${what} answers in another shape than the contract's: ${path.join(".") || "the whole"}: ${message}.`,
  );
}

/** What a problem document says, if it is one. */
function detail(text: string): string {
  try {
    const problem = JSON.parse(text) as { detail?: unknown };
    return typeof problem.detail === "string" ? ` (${problem.detail.replace(/\.$/, "")})` : "";
  } catch {
    return "";
  }
}
