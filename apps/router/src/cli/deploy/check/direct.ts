import { CliError } from "../../errors.ts";
import { askModel, type GoldenRow, type ModelFacts, predict } from "./answers.ts";
import { checkGolden } from "./golden.ts";

/** What the new version must say and do before it gets a single request of a client. */
export interface Expectation {
  readonly color: string;
  readonly version: string | undefined;
  readonly digest: string | undefined;
  /** The artifact's, where there is a file; else those that the service reports. */
  readonly golden: readonly GoldenRow[] | undefined;
  readonly warm: WarmUp;
}

export interface WarmUp {
  /** Milliseconds that the 95th percentile of the last predictions must come below. */
  readonly p95: number;
  /** Milliseconds after which it is given up. */
  readonly timeout: number;
}

/** Predictions that one look at the percentile is over. */
const WINDOW = 20;

/**
 * Asks one address of the new version, without the router: what it serves, its golden rows, the shape of its answers, and
 * whether it is warm.
 * @returns what it serves
 * @throws CliError the first thing that is not as expected
 */
export async function checkDirectly(
  base: string,
  expected: Expectation,
  signal: AbortSignal,
): Promise<ModelFacts> {
  const model = await askModel(base, signal);
  const who = `${expected.color} (${base})`;
  if (expected.digest !== undefined && model.digest !== expected.digest) {
    throw new CliError(`${who} serves the digest ${model.digest}; expected ${expected.digest}.`);
  }
  if (expected.version !== undefined && model.version !== expected.version) {
    throw new CliError(`${who} serves version ${model.version}; expected ${expected.version}.`);
  }
  const golden = expected.golden ?? model.golden;
  const { value, headers } = await predict(
    base,
    golden.map(({ trip }) => trip),
    signal,
  );
  if (value.model.version !== model.version || value.model.digest !== model.digest) {
    throw new CliError(
      `${who} answers predictions as ${value.model.version} ${value.model.digest}, but GET /model says ${model.version} ${model.digest}.`,
    );
  }
  if (headers.get("x-model-digest") !== model.digest) {
    throw new CliError(
      `${who} answers with X-Model-Digest: ${headers.get("x-model-digest") ?? "nothing"}; expected ${model.digest}.`,
    );
  }
  if (value.color !== expected.color) {
    throw new CliError(`${who} says that its color is ${value.color}; expected ${expected.color}.`);
  }
  checkGolden(who, golden, value);
  await warmUp(base, who, golden, expected.warm, signal);
  return model;
}

/** Asks one prediction after another until the last ones were quick. */
async function warmUp(
  base: string,
  who: string,
  golden: readonly GoldenRow[],
  { p95, timeout }: WarmUp,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + timeout;
  const times: number[] = [];
  for (let i = 0; ; i++) {
    const begun = performance.now();
    await predict(base, [golden[i % golden.length]!.trip], signal);
    times.push(performance.now() - begun);
    if (times.length < WINDOW) continue;
    const seen = percentile95(times.slice(-WINDOW));
    if (seen <= p95) return;
    if (performance.now() < deadline) continue;
    throw new CliError(
      `${who} does not get warm: after ${times.length} predictions the 95th percentile is ${seen.toFixed(0)} ms; expected at most ${p95} ms (--warm-p95).`,
    );
  }
}

const percentile95 = (times: readonly number[]): number =>
  times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1]!;
