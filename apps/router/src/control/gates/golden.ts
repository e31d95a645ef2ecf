import { questionOf, wrongRow } from "../../checks/golden.ts";
import { type Pointer, parsePointer, valuesAt } from "../../core/predictions/pointer.ts";
import { GateError, nameOf } from "./ask.ts";
import { answerOf } from "./model.ts";
import { count, type GatesOptions, offered, targetsOf, type Work } from "./work.ts";

/** Where predictions are, unless the configuration says otherwise. */
const FARES = parsePointer("/predictions/*/fare_amount");

/** The candidate's golden rows are answered as its artifact says. */
export async function golden(work: Work): Promise<string> {
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

/** Nothing to compare, unless the stable color shows that there should be something. */
async function noGolden(work: Work, url: string): Promise<string> {
  const { context, settings } = work;
  for (const other of context.targets(context.stable.color)) {
    if ((await offered(work, other)).golden === undefined) continue;
    throw new GateError(`${url} offers no golden rows at ${settings.model}, and ${other} does`);
  }
  return `neither color offers golden rows at ${settings.model}, so none are compared`;
}
