import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../src/config/config.ts";
import { ConfigError } from "../../src/config/errors.ts";
import { loadConfig } from "../../src/config/load.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** The least that a configuration says. */
export const COLORS = 'colors: { blue: { weight: 1, targets: ["http://127.0.0.1:8001"] } }\n';
export const folder = temporaryFolder();

/** Writes a file beside the configuration, which is `sluice.yaml`. */
export function write(content: string | Buffer, name = "sluice.yaml"): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Reads `content` as the command does. */
export function load(content: string, env: NodeJS.ProcessEnv = {}): Config {
  return loadConfig(write(content), env);
}

/** The problems, without the file's name. */
export function problems(content: string | Buffer, env: NodeJS.ProcessEnv = {}): string[] {
  return refusal(write(content), env).problems.map(({ message }) => message);
}

/** Why the file at `path` is refused. */
export function refusal(path: string, env: NodeJS.ProcessEnv = {}): ConfigError {
  try {
    loadConfig(path, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}
