import type { GoldenRow, ModelFacts } from "../../../checks/golden.ts";
import { type WarmUp, warmUp } from "../../../checks/warm-up.ts";
import { CliError } from "../../errors.ts";
import { askModel, predict } from "./answers.ts";
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
  await mustGetWarm(base, who, golden, expected.warm, signal);
  return model;
}

/** @throws CliError it stays slow */
async function mustGetWarm(
  base: string,
  who: string,
  golden: readonly GoldenRow[],
  wanted: WarmUp,
  signal: AbortSignal,
): Promise<void> {
  const ask = (i: number) => predict(base, [golden[i % golden.length]!.trip], signal);
  const { warm, requests, p95 } = await warmUp(ask, wanted);
  if (warm) return;
  throw new CliError(
    `${who} does not get warm: after ${requests} predictions the 95th percentile is ${p95.toFixed(0)} ms; expected at most ${wanted.p95} ms (--warm-p95).`,
  );
}
