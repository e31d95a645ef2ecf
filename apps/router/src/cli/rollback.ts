import type { Command } from "commander";
import { addChangeOptions, change } from "./change.ts";

export function addRollback(program: Command): void {
  const command = program
    .command("rollback")
    .summary("move all weight back to the color that last had it")
    .description(
      "Moves all weight back to the color that last had it all, and aborts a rollout. Nothing refuses it.",
    );
  addChangeOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ sluice rollback
  $ sluice rollback --reason "errors on green" --wait`,
    )
    .action((_options, self: Command) => change(self, "/admin/rollback", {}));
}
