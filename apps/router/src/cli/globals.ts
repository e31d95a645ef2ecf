import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { AdminClient } from "./admin-client.ts";
import { usageError } from "./errors.ts";
import { readClientTls } from "./tls-options.ts";

export const DEFAULT_ADMIN = "http://127.0.0.1:9900";

export interface Globals {
  readonly admin?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  /** Files in PEM. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly json?: boolean;
}

/** The options that every verb has, wherever they stand in the line. */
export function addGlobals(program: Command): Command {
  return program
    .option("--admin <url>", `the router's admin address (env SLUICE_ADMIN, default ${DEFAULT_ADMIN})`)
    .option("--token <token>", "admin token (env SLUICE_ADMIN_TOKEN, which other users cannot see)")
    .option("--token-file <file>", "file that holds the admin token")
    .option("--ca <file>", "authority of the admin address's certificate (env SLUICE_ADMIN_CA)")
    .option("--cert <file>", "certificate to show there (env SLUICE_ADMIN_CERT)")
    .option("--key <file>", "the certificate's key (env SLUICE_ADMIN_KEY)")
    .option("--json", "print JSON");
}

export function globalsOf(command: Command): Globals {
  return command.optsWithGlobals<Globals>();
}

/** The client for the router that the options or the environment name. */
export function connect(command: Command, env: NodeJS.ProcessEnv = process.env): AdminClient {
  const globals = globalsOf(command);
  const url = adminUrl(globals.admin ?? (env.SLUICE_ADMIN || DEFAULT_ADMIN));
  return new AdminClient({ url, token: tokenOf(globals, env), tls: readClientTls(globals, env) });
}

function adminUrl(text: string): string {
  const whole = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search) {
    throw usageError(
      `the admin address is ${JSON.stringify(text)}; expected a URL such as ${DEFAULT_ADMIN}.`,
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** The token that the options or the environment name. @throws CliError of usage */
export function tokenOf({ token, tokenFile }: Globals, env: NodeJS.ProcessEnv): string | undefined {
  const found =
    token ?? (tokenFile === undefined ? env.SLUICE_ADMIN_TOKEN || undefined : readToken(tokenFile));
  if (found !== undefined && !/^[\x21-\x7e]+$/.test(found)) {
    throw usageError("the admin token is empty or holds characters that no token has.");
  }
  return found;
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw usageError(`the token file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}
