import type { Command } from "commander";
import { globalsOf } from "./globals.ts";
import { print, printJson } from "./output.ts";

export function addCheck(program: Command): void {
  program
    .command("check")
    .summary("say what is wrong with a configuration file")
    .description("Checks a configuration file without starting anything. Exit 1 when it cannot be used.")
    .option("-c, --config <file>", "YAML or JSON", "sluice.yaml")
    .option("--table", "print the reference of all options as Markdown instead")
    .addHelpText(
      "after",
      "\nExamples:\n  $ sluice check --config sluice.yaml\n  $ sluice check --config sluice.yaml --json   with defaults, without secrets",
    )
    .action(check);
}

async function check(
  { config: path, table }: { config: string; table?: boolean },
  self: Command,
): Promise<void> {
  if (table) {
    const { configurationPage } = await import("../config/table.ts");
    return void process.stdout.write(configurationPage());
  }
  const { loadConfig } = await import("../config/load.ts");
  const config = loadConfig(path, process.env);
  if (globalsOf(self).json) {
    const { redactedConfig } = await import("../config/redact.ts");
    return printJson(redactedConfig(config));
  }
  const { formatAddress } = await import("../config/address.ts");
  const names = Object.keys(config.colors).join(", ");
  print(
    `${path} is valid: ${names} behind ${formatAddress(config.listen)}, admin at ${formatAddress(config.admin.listen)}.`,
  );
}
