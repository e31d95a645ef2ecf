import type { Command } from "commander";
import type { State } from "./admin-types.ts";
import { CliError } from "./errors.ts";
import { connect, globalsOf } from "./globals.ts";
import { print, printJson } from "./output.ts";
import { fetchState, formatTarget } from "./status.ts";

export function addHealth(program: Command): void {
  program
    .command("health")
    .summary("is everything well? exit 1 if not")
    .description(
      "Says whether the router takes traffic, and the health of every target. Exit 1 when it takes none, or a color with weight has no healthy target.",
    )
    .addHelpText("after", "\nExample:\n  $ sluice health && echo well")
    .action(showHealth);
}

interface Readiness {
  readonly status?: number;
}

async function showHealth(_options: unknown, self: Command): Promise<void> {
  const answer = await connect(self).call<Readiness>("/readyz", { also: 503 });
  const ready = answer.status !== 503;
  const state = await fetchState(self);
  const sick = sickColors(state);
  if (globalsOf(self).json) printJson({ ready, healthy: ready && sick.length === 0, colors: state.colors });
  else {
    print(`router ${ready ? "ready" : "not ready"}`);
    for (const { name, targets } of state.colors) {
      for (const target of targets) print(`${name} ${formatTarget(target)}`);
      if (targets.length === 0) print(`${name} has no target`);
    }
  }
  if (!ready) throw new CliError("the router is not ready to take traffic.");
  if (sick.length > 0) throw new CliError(`no healthy target: ${sick.join(", ")}.`);
}

/** Colors that get requests and have nobody to answer them. */
function sickColors({ colors }: State): string[] {
  return colors
    .filter(({ weight, targets }) => weight > 0 && !targets.some(({ health }) => health === "up"))
    .map(({ name }) => name);
}
