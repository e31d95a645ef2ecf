import { dirname, resolve } from "node:path";
import { checkTogether } from "./checks.ts";
import type { Config, HealthConfig, HookConfig, OverrideConfig, TracingConfig } from "./config.ts";
import { expandEnvironment } from "./environment.ts";
import { ConfigError, type Problem, Refused } from "./errors.ts";
import { readConfigFile } from "./file.ts";
import { HEALTH_PATH } from "./parts.ts";
import { toProblems } from "./problems.ts";
import { type FileConfig, fileSchema } from "./schema.ts";
import { toTls } from "./tls.ts";
import { readTokens } from "./tokens.ts";
import { withEnvironment } from "./tracing.ts";

/**
 * Reads a configuration file (YAML or JSON), replaces `${NAME}` by the environment's values, fills in defaults and
 * checks everything.
 * @param folder where relative paths in the file start
 * @throws ConfigError that lists every problem
 */
export function loadConfig(path: string, env: NodeJS.ProcessEnv, folder = dirname(path)): Config {
  const source = readConfigFile(path);
  return checkConfig(source ?? {}, env, path, folder);
}

/**
 * The same for values that were read already.
 * @param path names the file in messages
 * @param folder where relative paths start
 * @throws ConfigError
 */
export function checkConfig(
  source: unknown,
  env: NodeJS.ProcessEnv,
  path: string,
  folder = dirname(path),
): Config {
  const { value, problems: missing } = expandEnvironment(source, env);
  const problems: Problem[] = [...missing];
  const result = fileSchema.safeParse(value);
  problems.push(...toProblems(result.error?.issues ?? [], source, value));
  if (!result.success || problems.length > 0) throw new ConfigError(path, problems);
  const config = toConfig(result.data, env, resolve(folder), problems);
  problems.push(...checkTogether(config));
  if (problems.length > 0) throw new ConfigError(path, problems);
  return config;
}

function toConfig(file: FileConfig, env: NodeJS.ProcessEnv, folder: string, problems: Problem[]): Config {
  const { admin, state, override, health, tracing, hooks, gates, ...rest } = file;
  const { adminTls, ...tls } = toTls(file, folder);
  return {
    ...rest,
    ...tls,
    health: toHealth(health),
    admin: { listen: admin.listen, tls: adminTls, tokens: readTokens(file, folder, problems) },
    state: state === "memory" ? undefined : resolve(folder, state),
    override: override && toOverride(override),
    tracing: tracing && toTracing(tracing, env, problems),
    gates: {
      ...gates,
      request: gates.request && resolve(folder, gates.request),
      schema: gates.schema && resolve(folder, gates.schema),
    },
    hooks: Object.fromEntries(Object.entries(hooks).map(([name, hook]) => [name, toHook(hook, folder)])),
  };
}

function toHealth({ path, grpc, ...health }: FileConfig["health"]): HealthConfig {
  return { ...health, path: path ?? (grpc === undefined ? HEALTH_PATH : undefined), grpc };
}

function toOverride({ header, cookie, from, secret }: NonNullable<FileConfig["override"]>): OverrideConfig {
  return { header: header ?? (cookie === undefined ? "x-sluice-color" : undefined), cookie, from, secret };
}

function toTracing(
  tracing: NonNullable<FileConfig["tracing"]>,
  env: NodeJS.ProcessEnv,
  problems: Problem[],
): TracingConfig | undefined {
  try {
    return withEnvironment(tracing, env);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    problems.push({ key: "tracing.otlp", message: `tracing.otlp ${error.message}` });
    return undefined;
  }
}

type FileHook = FileConfig["hooks"][string];

/** A program that is named by a path is looked for in the file's folder. */
function toHook({ url, method, headers, command, env, timeout }: FileHook, folder: string): HookConfig {
  if (url !== undefined) return { url, method: method ?? "POST", headers: headers ?? {}, timeout };
  const [program = "", ...rest] = command ?? [];
  const found = /^\.\.?\//.test(program) ? resolve(folder, program) : program;
  return { command: [found, ...rest], env: env ?? {}, timeout, folder };
}
