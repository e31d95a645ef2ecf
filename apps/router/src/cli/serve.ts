import type { Command } from "commander";

export function addServe(program: Command): void {
  program
    .command("serve")
    .summary("run the router")
    .description(
      "Runs the router until SIGTERM or SIGINT. SIGHUP re-reads the file; a bad file changes nothing.",
    )
    .option("-c, --config <file>", "YAML or JSON", "sluice.yaml")
    .addHelpText("after", "\nExample:\n  $ sluice serve --config sluice.yaml")
    .action(serveFile);
}

async function serveFile({ config: configPath }: { config: string }): Promise<void> {
  const { loadConfig } = await import("../config/load.ts");
  const config = loadConfig(configPath, process.env);
  const { createLog, flushLog } = await import("../log.ts");
  const log = createLog(config.log);
  const { serve } = await import("../main.ts");
  const { closed } = await serve({ config, configPath, log });
  const exitCode = await closed;
  await flushLog(log);
  process.exit(exitCode);
}
