import type { Command } from "commander";
import { usageError } from "./errors.ts";

export interface UpOptions {
  readonly config: string | undefined;
  readonly var: string | undefined;
  readonly port: number | undefined;
  readonly adminPort: number | undefined;
  readonly bluePort: number | undefined;
  readonly greenPort: number | undefined;
}

export function addUp(program: Command): void {
  program
    .command("up")
    .summary("run the demo: two models and a router")
    .description(
      "Trains the models if there are none, starts model API blue (1.0.0) and green (1.0.1) and the router, and starts again what dies. Ctrl-C stops everything; a second Ctrl-C at once.",
    )
    .option("--port <port>", "the router's port instead of the file's; 0: any free one", parsePort)
    .option("--admin-port <port>", "the admin API's", parsePort)
    .option("--blue-port <port>", "blue's", parsePort)
    .option("--green-port <port>", "green's", parsePort)
    .option("-c, --config <file>", "the router's configuration (default: sluice.yaml of this project)")
    .option("--var <folder>", "where logs and state go (default: var of this project)")
    .addHelpText(
      "after",
      "\nExamples:\n  $ npm start\n  $ sluice up --port 8090 --admin-port 9990 --blue-port 0 --green-port 0",
    )
    .action(async (options: UpOptions) => {
      const { runUp } = await import("./up/run.ts");
      process.exit(await runUp(options));
    });
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw usageError(`the port is ${JSON.stringify(text)}; expected a whole number from 0 to 65535.`);
}
