import { warmUp } from "../../checks/warm-up.ts";
import { GateError, type Question } from "./ask.ts";
import { answerOnce } from "./model.ts";
import { nothingToAsk, questions, targetsOf, type Work } from "./work.ts";

/** Failed predictions of a warm-up beyond which a target is broken: so many in a row, or this share of all. */
const FAILURES_IN_ROW = 5;
const MOST_FAILURES = 0.1;

/** Predictions are asked for until the candidate is warm: so many, and then until the last ones were quick. */
export async function warm(work: Work): Promise<string> {
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

/** Failed predictions are for guards to judge, which see rates: here only a target that is plainly broken fails. */
async function warmTarget(work: Work, url: string, all: readonly Question[]): Promise<string> {
  const { settings } = work;
  const asking = new Asking(work, url, all);
  const limit = settings.p95 ?? Number.POSITIVE_INFINITY;
  const goal = { p95: limit, timeout: settings.timeout };
  const { warm, requests, p95 } = await warmUp((i) => asking.ask(i), goal, settings.requests);
  const { failures } = asking;
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

/** Asks a target one question after another, and counts what fails. */
class Asking {
  failures = 0;
  #inRow = 0;
  readonly #work: Work;
  readonly #url: string;
  readonly #all: readonly Question[];

  constructor(work: Work, url: string, all: readonly Question[]) {
    this.#work = work;
    this.#url = url;
    this.#all = all;
  }

  /** @throws GateError too many have failed in a row */
  async ask(i: number): Promise<void> {
    const { options, signal } = this.#work;
    try {
      await answerOnce(options.ask, this.#url, this.#all[i % this.#all.length]!, signal);
      this.#inRow = 0;
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      this.failures++;
      if (++this.#inRow < FAILURES_IN_ROW) return;
      throw new GateError(
        `${this.#url} failed ${this.failures} of ${i + 1} predictions, ${this.#inRow} in a row: ${error.message}`,
      );
    }
  }
}
