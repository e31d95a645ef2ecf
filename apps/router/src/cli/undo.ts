import type { Command } from "commander";
import { addAbortRollout, addChangeOptions, change } from "./change.ts";

export function addUndo(program: Command): void {
  const command = program
    .command("undo")
    .summary("set the weights that were before the last change")
    .description("Sets the weights that were before the last change.");
  addAbortRollout(addChangeOptions(command))
    .addHelpText("after", "\nExample:\n  $ sluice undo")
    .action((_options, self: Command) => change(self, "/admin/undo", {}));
}
