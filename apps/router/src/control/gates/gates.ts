import { readFile } from "node:fs/promises";
import { z } from "zod";
import { questionOf, wrongRow } from "../../checks/golden.ts";
import { missingIn, type Shape, shapeOf } from "../../checks/shape.ts";
import { warmUp } from "../../checks/warm-up.ts";
import type { Config, GatesConfig } from "../../config/config.ts";
import { type Pointer, parsePointer, valuesAt } from "../../core/predictions/pointer.ts";
import type { Ended, Gate, RolloutContext } from "../rollout/ports.ts";
import { type AskTarget, GateError, nameOf, type Question } from "./ask.ts";
import { answerOf, answerOnce, type Offered, offeredBy, questionsOf } from "./model.ts";

export interface GatesOptions {
  /** In force now; a reload replaces it. */
  readonly config: () => Pick<Config, "gates" | "predictions">;
  readonly ask: AskTarget;
  /** What a target said of itself at its last check. */
  readonly lastCheck: (
    url: string,
  ) => { readonly version?: string | undefined; readonly digest?: string | undefined } | undefined;
}

/** Where predictions are, unless the configuration says otherwise. */
const FARES = parsePointer("/predictions/*/fare_amount");
/** Bytes of a file with a request or a schema. */
const LARGEST_FILE = 1024 * 1024;

/** Failed predictions of a warm-up beyond which a target is broken: so many in a row, or this share of all. */
const FAILURES_IN_ROW = 5;
const MOST_FAILURES = 0.1;

/** What one gate works with. */
interface Work {
  readonly options: GatesOptions;
  readonly settings: GatesConfig;
  readonly context: RolloutContext;
  readonly signal: AbortSignal;
}

type Check = (work: Work) => Promise<string>;

/** The candidate before its first request: each of its targets is asked, and the first that is not as it should be fails it. */
export function candidateGates(options: GatesOptions): Gate[] {
  const checks: Record<GatesConfig["usual"][number], Check> = { identity, golden, schema, warm_up: warm };
  return Object.entries(checks).map(([name, check]) => ({
    name,
    usual: () => (options.config().gates.usual as readonly string[]).includes(name),
    check: (context, signal) => run(check, { options, settings: options.config().gates, context, signal }),
  }));
}

async function run(check: Check, work: Work): Promise<Ended> {
  const { timeout } = work.settings;
  const late = AbortSignal.timeout(timeout);
  const signal = AbortSignal.any([work.signal, late]);
  try {
    return { ok: true, detail: await check({ ...work, signal }) };
  } catch (error) {
    work.signal.throwIfAborted();
    if (late.aborted)
      return { ok: false, detail: `it has taken longer than ${timeout / 1000} s (gates.timeout)` };
    if (error instanceof GateError) return { ok: false, detail: error.message };
    throw error;
  }
}

/** All targets of the candidate are the version that the rollout is about, and that is not the stable color's. */
async function identity({ options, settings, context, signal }: Work): Promise<string> {
  const { candidate, stable } = context;
  if (candidate.digest === stable.digest) {
    throw new GateError(
      `${candidate.color} runs what ${stable.color} runs (${candidate.digest}); expected another version`,
    );
  }
  const targets = targetsOf(context, candidate.color);
  for (const url of targets) {
    const checked = options.lastCheck(url);
    mustBe(url, "says at its checks", checked ?? {}, candidate, true);
    mustBe(
      url,
      `says at ${settings.model}`,
      await offeredBy(options.ask, url, settings.model, signal),
      candidate,
      false,
    );
  }
  return `${count(targets)} of ${candidate.color} ${targets.length === 1 ? "is" : "are"} ${candidate.version || "unnamed"}, ${candidate.digest}`;
}

function mustBe(
  url: string,
  says: string,
  { version, digest }: { readonly version?: string | undefined; readonly digest?: string | undefined },
  wanted: RolloutContext["candidate"],
  always: boolean,
): void {
  const found = digest ?? (always ? "nothing" : wanted.digest);
  if (found !== wanted.digest)
    throw new GateError(`${url} ${says} that it has the digest ${found}; expected ${wanted.digest}`);
  if (version !== undefined && version !== wanted.version) {
    throw new GateError(`${url} ${says} that it is version ${version}; expected ${wanted.version}`);
  }
}

/** The candidate's golden rows are answered as its artifact says. */
async function golden(work: Work): Promise<string> {
  const { options, settings, context, signal } = work;
  const targets = targetsOf(context, context.candidate.color);
  let rows = 0;
  for (const url of targets) {
    const { golden } = await offered(work, url);
    if (golden === undefined) return await noGolden(work, url);
    const question = { path: settings.predict, body: questionOf(golden.map(({ trip }) => trip)) };
    const answer = await answerOf(options.ask, url, question, signal);
    const got = valuesAt(answer, pointerOf(options)).map((value) =>
      typeof value === "number" ? value : undefined,
    );
    if (got.length !== golden.length) {
      throw new GateError(
        `${nameOf(url, question)} answers ${got.length} predictions for ${golden.length} rows; expected one for each`,
      );
    }
    const wrong = wrongRow(golden, got, { tolerance: settings.tolerance, unrounded: true });
    if (wrong !== undefined) throw new GateError(`${url} ${wrong}`);
    rows = golden.length;
  }
  return `${rows} golden rows are right at ${count(targets)}`;
}

const pointerOf = ({ config }: GatesOptions): Pointer => config().predictions?.pointer ?? FARES;

function offered({ options, settings, signal }: Work, url: string): Promise<Offered> {
  return offeredBy(options.ask, url, settings.model, signal);
}

/** Nothing to compare, unless the stable color shows that there should be something. */
async function noGolden(work: Work, url: string): Promise<string> {
  const { context, settings } = work;
  for (const other of context.targets(context.stable.color)) {
    if ((await offered(work, other)).golden === undefined) continue;
    throw new GateError(`${url} offers no golden rows at ${settings.model}, and ${other} does`);
  }
  return `neither color offers golden rows at ${settings.model}, so none are compared`;
}

/** Answers fulfill the configured schema, or have at least the shape of the stable color's. */
async function schema(work: Work): Promise<string> {
  const { context, settings } = work;
  const targets = targetsOf(context, context.candidate.color);
  const fulfilled = settings.schema === undefined ? undefined : await readSchema(settings.schema);
  const wanted = fulfilled
    ? undefined
    : await shapeAt(work, targetsOf(context, context.stable.color)[0]!, targets[0]!);
  if (!fulfilled && wanted === undefined) {
    return nothingToAsk(settings);
  }
  for (const url of targets) {
    for (const answer of await answersOf(work, url, url)) {
      const fault = fulfilled ? schemaFault(fulfilled, answer) : missingIn(shapeOf(answer), wanted!);
      if (fault !== undefined) throw new GateError(`${url} answers in another shape: ${fault}`);
    }
  }
  return fulfilled
    ? `answers fulfill ${settings.schema} at ${count(targets)}`
    : `answers have the shape of ${context.stable.color}'s at ${count(targets)}`;
}

/** The merged shape of the answers of the stable color to the candidate's questions; undefined without questions. */
async function shapeAt(work: Work, stable: string, candidate: string): Promise<Shape | undefined> {
  const answers = await answersOf(work, stable, candidate);
  return answers.length === 0 ? undefined : shapeOf(answers).element;
}

/** Answers of a target to the questions that another one's golden rows give. */
async function answersOf(work: Work, url: string, asked: string): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const question of await questions(work, asked)) {
    answers.push(await answerOf(work.options.ask, url, question, work.signal));
  }
  return answers;
}

async function questions(work: Work, url: string) {
  const { settings } = work;
  const request =
    settings.request === undefined ? undefined : await readText(settings.request, "gates.request");
  const { golden } = request === undefined ? await offered(work, url) : { golden: undefined };
  return questionsOf(settings.predict, request, golden);
}

/** Predictions are asked for until the candidate is warm: so many, and then until the last ones were quick. */
async function warm(work: Work): Promise<string> {
  const { settings, context } = work;
  const targets = targetsOf(context, context.candidate.color);
  const said: string[] = [];
  for (const url of targets) {
    const all = await questions(work, url);
    if (all.length === 0) return nothingToAsk(settings);
    said.push(await warmTarget(work, url, all));
  }
  return said.join("; ");
}

const nothingToAsk = ({ model }: GatesConfig) =>
  `nothing to ask with: no golden rows at ${model}, and gates.request names no file`;

/** Failed predictions are for guards to judge, which see rates: here only a target that is plainly broken fails. */
async function warmTarget({ options, settings, signal }: Work, url: string, all: readonly Question[]) {
  let [failures, row] = [0, 0];
  const ask = async (i: number) => {
    try {
      await answerOnce(options.ask, url, all[i % all.length]!, signal);
      row = 0;
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      failures++;
      if (++row < FAILURES_IN_ROW) return;
      throw new GateError(
        `${url} failed ${failures} of ${i + 1} predictions, ${row} in a row: ${error.message}`,
      );
    }
  };
  const limit = settings.p95 ?? Number.POSITIVE_INFINITY;
  const { warm, requests, p95 } = await warmUp(
    ask,
    { p95: limit, timeout: settings.timeout },
    settings.requests,
  );
  if (failures > requests * MOST_FAILURES) {
    throw new GateError(
      `${url} failed ${failures} of ${requests} predictions; expected at most ${MOST_FAILURES * 100} %`,
    );
  }
  if (!warm) {
    throw new GateError(
      `${url} does not get warm: after ${requests} predictions the 95th percentile is ${p95.toFixed(0)} ms; expected at most ${limit} ms (gates.p95)`,
    );
  }
  return `${url} answered ${requests - failures} of ${requests} predictions`;
}

function targetsOf({ targets }: RolloutContext, color: string): readonly string[] {
  const all = targets(color);
  if (all.length === 0) throw new GateError(`${color} has no target`);
  return all;
}

const count = ({ length }: readonly string[]) => (length === 1 ? "1 target" : `${length} targets`);

async function readSchema(path: string): Promise<z.ZodType> {
  const text = await readText(path, "gates.schema");
  try {
    return z.fromJSONSchema(JSON.parse(text));
  } catch (error) {
    throw new GateError(
      `gates.schema: ${path} is no JSON Schema (${(error as Error).message.split("\n")[0]})`,
    );
  }
}

function schemaFault(schema: z.ZodType, answer: unknown): string | undefined {
  const issue = schema.safeParse(answer).error?.issues[0];
  if (issue === undefined) return undefined;
  return `${issue.path.length > 0 ? `/${issue.path.join("/")}` : "the whole"}: ${issue.message}`;
}

async function readText(path: string, key: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new GateError(`${key}: ${path} cannot be read (${error.code})`);
  });
  if (text.length > LARGEST_FILE) throw new GateError(`${key}: ${path} is larger than 1 MiB`);
  try {
    JSON.parse(text);
  } catch {
    throw new GateError(`${key}: ${path} is not JSON`);
  }
  return text;
}
