import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { AdminToken, Scope } from "./config.ts";
import type { Problem } from "./errors.ts";
import { unreadable } from "./file.ts";
import type { FileConfig } from "./schema.ts";

interface Source {
  readonly key: string;
  readonly scope: Scope;
  readonly token: string | undefined;
  readonly token_file: string | undefined;
}

/** The admin tokens, those in files read, whose relative paths start at `folder`. Problems are added to `problems`, and never quote a token. */
export function readTokens(file: FileConfig, folder: string, problems: Problem[]): AdminToken[] {
  const { token, token_file, tokens } = file.admin;
  const sources: Source[] = tokens.map((each, index) => ({
    key: `admin.tokens[${index}]`,
    scope: each.scope,
    token: each.token,
    token_file: each.token_file,
  }));
  if (token !== undefined || token_file !== undefined)
    sources.unshift({ key: "admin", scope: "all", token, token_file });
  const found: AdminToken[] = [];
  for (const source of sources) {
    const text = readToken(source, folder, problems);
    if (text === undefined) continue;
    if (found.some((other) => other.token === text)) {
      problems.push({
        key: source.key,
        message: `${source.key} has the same token as another; expected one of its own.`,
      });
    }
    found.push({ token: text, scope: source.scope });
  }
  return found;
}

function readToken(source: Source, folder: string, problems: Problem[]): string | undefined {
  const { key, token, token_file } = source;
  const refuse = (name: string, message: string) => {
    problems.push({ key: name, message: `${name} ${message}` });
    return undefined;
  };
  if (token !== undefined && token_file !== undefined)
    return refuse(key, "has token and token_file; expected one of them.");
  if (token !== undefined) return token;
  if (token_file === undefined) return refuse(key, "has no token; expected token or token_file.");
  const name = `${key}.token_file`;
  try {
    const text = readFileSync(resolve(folder, token_file), "utf8").trim();
    if (text === "")
      return refuse(name, `is ${JSON.stringify(token_file)}, which is empty; expected a token in it.`);
    if (/^[\x21-\x7e]+$/.test(text)) return text;
    return refuse(
      name,
      `is ${JSON.stringify(token_file)}, which holds more than one token's visible ASCII characters.`,
    );
  } catch (error) {
    return refuse(
      name,
      `is ${JSON.stringify(token_file)}, and ${unreadable(error)}; expected a file that holds a token.`,
    );
  }
}
