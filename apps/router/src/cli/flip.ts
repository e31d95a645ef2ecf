import type { Command } from "commander";
import { addAbortRollout, addChangeOptions, change } from "./change.ts";

export function addFlip(program: Command): void {
  const command = program
    .command("flip")
    .summary("move all weight to one color")
    .description(
      "Moves all weight to one color at once. Refused when it has no healthy target, unless forced.",
    )
    .argument("<color>", "the color that gets all new requests")
    .option("--force", "even when it has no healthy target");
  addAbortRollout(addChangeOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  $ sluice flip green
  $ sluice flip green --wait --reason "release 1.0.1"`,
    )
    .action((to: string, { force }: { force?: boolean }, self: Command) =>
      change(self, "/admin/flip", force ? { to, force } : { to }),
    );
}
