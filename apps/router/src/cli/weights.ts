import type { Command } from "commander";
import { addAbortRollout, addChangeOptions, change } from "./change.ts";
import { usageError } from "./errors.ts";

export function addWeights(program: Command): void {
  const command = program
    .command("weights")
    .summary("set each color's share of new requests")
    .description(
      "Sets the weights, on any scale: blue=9 green=1 is blue=90 green=10. Every color is named, with 0 for none.",
    )
    .argument("<color=weight...>", "such as blue=90 green=10");
  addAbortRollout(addChangeOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  $ sluice weights blue=90 green=10
  $ sluice weights blue=50 green=50 --reason "half and half over night"
  $ sluice weights blue=0 green=100 --wait --if-match 12`,
    )
    .action((pairs: string[], _options, self: Command) =>
      change(self, "/admin/weights", { weights: parseWeights(pairs) }),
    );
}

/** `["blue=90", "green=10"]` as an object. Whether there are such colors is the router's to say. */
export function parseWeights(pairs: readonly string[]): Record<string, number> {
  const weights = new Map<string, number>();
  for (const pair of pairs) {
    const match = /^([^=\s]+)=(\d+(?:\.\d+)?|\.\d+)$/.exec(pair);
    const weight = Number(match?.[2]);
    if (!match?.[1] || !Number.isFinite(weight)) {
      throw usageError(
        `${JSON.stringify(pair)} is no weight; expected COLOR=NUMBER with a number of at least 0, such as blue=90.`,
      );
    }
    if (weights.has(match[1])) throw usageError(`${match[1]} is given twice; expected each color once.`);
    weights.set(match[1], weight);
  }
  return Object.fromEntries(weights);
}
