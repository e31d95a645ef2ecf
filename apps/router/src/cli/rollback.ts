import type { Command } from "commander";
import { addChangeOptions, type ChangeOptions, change } from "./change.ts";
import { CliError } from "./errors.ts";
import { connect } from "./globals.ts";
import { complain } from "./output.ts";

interface RollbackFlags extends ChangeOptions {
  readonly start: boolean;
  readonly startTimeout: string;
  readonly folder?: string;
  readonly file: string;
  readonly service: string;
}

export function addRollback(program: Command): void {
  const command = program
    .command("rollback")
    .summary("move all weight back to the color that last had it")
    .description(
      "Moves all weight back to the color that last had it all, and aborts a rollout. Nothing refuses it. Where `sluice deploy` has stopped that color's version, it is started again first.",
    )
    .option("--no-start", "at once, without starting anything")
    .option("--start-timeout <duration>", "how long the previous version may take to get ready", "60s")
    .option("--folder <folder>", "the deploy folder (env SLUICE_DEPLOY_FOLDER, default var/deploy)")
    .option("--file <file>", "the Compose file", "compose.yaml")
    .option("--service <pattern>", "the color's Compose service", "api-{color}");
  addChangeOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ sluice rollback
  $ sluice rollback --reason "errors on green" --wait`,
    )
    .action(rollback);
}

async function rollback(flags: RollbackFlags, self: Command): Promise<void> {
  const { folderOf } = await import("./deploy/options.ts");
  const folder = folderOf(flags.folder, process.env);
  const problem = flags.start ? await start(flags, folder, self) : undefined;
  if (problem) complain(`${problem}; rolling back all the same.`);
  await change(self, "/admin/rollback", {});
  await note(folder, self);
  if (problem) throw new CliError(`rolled back, but ${problem}.`);
}

async function start(flags: RollbackFlags, folder: string, self: Command): Promise<string | undefined> {
  const { driversOf } = await import("./deploy/drivers.ts");
  const { startPrevious } = await import("./deploy/previous.ts");
  const { duration } = await import("./deploy/options.ts");
  const timeout = duration("--start-timeout", flags.startTimeout);
  return startPrevious({
    folder,
    client: connect(self),
    driverFor: driversOf({ ...flags, pull: "never" }, folder),
    timeout,
    note: complain,
  });
}

/** What is deployed where, for the next deploy; a rollback does not fail by it. */
async function note(folder: string, self: Command): Promise<void> {
  try {
    const { recordRollback } = await import("./deploy/previous.ts");
    await recordRollback(folder, connect(self));
  } catch (error) {
    complain(`the rollback could not be noted in ${folder}: ${(error as Error).message}`);
  }
}
