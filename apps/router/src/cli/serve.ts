import type { Command } from "commander";
import { Predecessor } from "../handover/predecessor.ts";

export function addServe(program: Command): void {
  program
    .command("serve")
    .summary("run the router")
    .description(
      "Runs the router until SIGTERM or SIGINT. SIGHUP re-reads the file; a bad file changes nothing. SIGUSR2 starts the program that is on the disk now in its place, see `sluice upgrade`.",
    )
    .option("-c, --config <file>", "YAML or JSON", "sluice.yaml")
    .option("--relative-to <folder>", "where relative paths in the file start (default: the file's folder)")
    .addHelpText("after", "\nExample:\n  $ sluice serve --config sluice.yaml")
    .action(serveFile);
}

interface Options {
  readonly config: string;
  readonly relativeTo?: string;
}

async function serveFile(options: Options): Promise<void> {
  const predecessor = Predecessor.find();
  try {
    await serveUntilEnd(options, predecessor);
  } catch (error) {
    await predecessor?.failed(error as Error);
    predecessor?.leave();
    throw error;
  }
}

async function serveUntilEnd(options: Options, predecessor: Predecessor | undefined): Promise<void> {
  const { loadConfig } = await import("../config/load.ts");
  const reread = () => loadConfig(options.config, process.env, options.relativeTo);
  const config = reread();
  const { createLog, flushLog } = await import("../log.ts");
  const log = createLog(config.log);
  const { serve } = await import("../main.ts");
  const { closed } = await serve({ config, reread, log, predecessor });
  const exitCode = await closed;
  await flushLog(log);
  process.exit(exitCode);
}
