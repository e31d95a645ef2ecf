import { z } from "zod";
import { type GoldenRow, modelSchema, questionOf } from "../../checks/golden.ts";
import { type AskTarget, GateError, nameOf, type Question } from "./ask.ts";

/** What a target says of itself; `golden` undefined: it has no golden rows to offer. */
export interface Offered {
  readonly version: string | undefined;
  readonly digest: string | undefined;
  readonly golden: readonly GoldenRow[] | undefined;
}

const NOTHING: Offered = { version: undefined, digest: undefined, golden: undefined };
const told = z.looseObject({
  version: z.string().optional(),
  digest: z.string().optional(),
  golden: z.unknown().optional(),
});

/**
 * Reads `GET /model`. A target without such a page, or with another, offers nothing.
 * @throws GateError it does not answer, answers with a server error, or has golden rows of another form
 */
export async function offeredBy(
  ask: AskTarget,
  url: string,
  path: string,
  signal: AbortSignal,
): Promise<Offered> {
  let { status, text } = await ask(url, { path }, signal);
  if (status >= 500) ({ status, text } = await ask(url, { path }, signal));
  if (status >= 500) throw new GateError(`${nameOf(url, { path })} answers ${status}`);
  const { data } = told.safeParse(status === 200 ? jsonOr(text) : undefined);
  if (data === undefined) return NOTHING;
  const { version, digest, golden } = data;
  if (golden === undefined) return { version, digest, golden };
  const rows = modelSchema.shape.golden.safeParse(golden);
  if (rows.success) return { version, digest, golden: rows.data };
  const { path: at, message } = rows.error.issues[0]!;
  throw new GateError(
    `${nameOf(url, { path })} has golden rows of another form: golden.${at.join(".")}: ${message}`,
  );
}

/** How often a question is asked before a server error counts. */
const TRIES = 3;

/** The JSON that a target answers with status 200, at one of three tries. @throws GateError */
export async function answerOf(
  ask: AskTarget,
  url: string,
  question: Question,
  signal: AbortSignal,
): Promise<unknown> {
  for (let left = TRIES - 1; ; left--) {
    try {
      return await answerOnce(ask, url, question, signal);
    } catch (error) {
      if (left === 0 || !(error instanceof GateError && error.passing)) throw error;
    }
  }
}

/** The same at the first try. @throws GateError */
export async function answerOnce(
  ask: AskTarget,
  url: string,
  question: Question,
  signal: AbortSignal,
): Promise<unknown> {
  const { status, text } = await ask(url, question, signal);
  if (status !== 200) {
    const why = (jsonOr(text) as { detail?: unknown } | undefined)?.detail;
    const detail = typeof why === "string" ? ` (${why.replace(/\.$/, "").slice(0, 200)})` : "";
    throw new GateError(`${nameOf(url, question)} answers ${status}; expected 200${detail}`, status >= 500);
  }
  const value = jsonOr(text);
  if (value !== undefined) return value;
  throw new GateError(
    `${nameOf(url, question)} answers what is not JSON: ${JSON.stringify(text.slice(0, 60))}`,
  );
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Requests for a prediction: the configured one, or one for each golden row. */
export function questionsOf(
  path: string,
  request: string | undefined,
  golden: Offered["golden"],
): readonly Question[] {
  if (request !== undefined) return [{ path, body: request }];
  return (golden ?? []).map(({ trip }) => ({ path, body: questionOf([trip]) }));
}
