import type { Command } from "commander";
import { parseDuration } from "../config/units.ts";
import { AdminClient } from "./admin-client.ts";
import { usageError } from "./errors.ts";
import { connect, globalsOf } from "./globals.ts";
import { print, printJson } from "./output.ts";
import { readClientTls } from "./tls-options.ts";

interface Options {
  readonly config?: string;
  readonly timeout: string;
}

interface Program {
  readonly version: string;
  readonly pid: number;
}

interface Answer {
  readonly from: Program;
  readonly to: Program;
}

export function addUpgrade(program: Command): void {
  program
    .command("upgrade")
    .summary("replace the running router by the program on the disk")
    .description(
      "Has the running router start the program that is on the disk now, by the same command line and on the same sockets, and waits until that serves; the old one finishes what it has and ends. No connection is refused or lost. Exit 1 when it did not come to that; then the old one goes on as before.",
    )
    .option("-c, --config <file>", "find the router by its configuration instead of --admin")
    .option("--timeout <duration>", "how long the new program may take to serve, at most 10m", "30s")
    .addHelpText(
      "after",
      `
Examples:
  $ sluice upgrade
  $ sluice upgrade --config /etc/sluice/sluice.yaml --timeout 1m
  $ kill -USR2 PID                   the same; the router's log says what came of it`,
    )
    .action(upgrade);
}

async function upgrade({ config, timeout }: Options, self: Command): Promise<void> {
  const patience = duration(timeout);
  const client = config === undefined ? connect(self) : await connectByConfig(config, self);
  const call = { method: "POST", query: { timeout }, wait: patience } as const;
  const answer = await client.call<Answer>("/admin/upgrade", call, ({ to }) =>
    typeof to?.pid === "number" ? undefined : "its answer has no process",
  );
  if (globalsOf(self).json) printJson(answer);
  else print(describe(answer));
}

function describe({ from, to }: Answer): string {
  return `version ${to.version} (pid ${to.pid}) serves in the place of ${from.version} (pid ${from.pid}), which finishes what it has`;
}

/** The admin address and the token are the file's. */
async function connectByConfig(path: string, self: Command): Promise<AdminClient> {
  const { loadConfig } = await import("../config/load.ts");
  const { formatAddress, isWildcard } = await import("../config/address.ts");
  const { listen, tokens, tls } = loadConfig(path, process.env).admin;
  const loopback = listen.host.includes(":") ? "::1" : "127.0.0.1";
  const address = isWildcard(listen.host) ? { ...listen, host: loopback } : listen;
  const token = tokens.find(({ scope }) => scope === "all")?.token;
  const url = `${tls ? "https" : "http"}://${formatAddress(address)}`;
  return new AdminClient({ url, token, tls: readClientTls(globalsOf(self), process.env) });
}

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw usageError(`--timeout is ${JSON.stringify(text)}; ${(error as Error).message}.`);
  }
}
