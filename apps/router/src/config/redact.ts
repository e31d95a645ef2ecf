import type { Config } from "./config.ts";

const HIDDEN = "***";

/** The same configuration without its secrets, for logs, `sluice check --json` and bug reports. */
export function redactedConfig(config: Config): Config {
  const { admin, override, tracing } = config;
  return {
    ...config,
    admin: { ...admin, tokens: admin.tokens.map(({ scope }) => ({ token: HIDDEN, scope })) },
    override: override && { ...override, secret: override.secret === undefined ? undefined : HIDDEN },
    tracing: tracing && { ...tracing, headers: hidden(tracing.headers) },
  };
}

function hidden(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(fields).map((name) => [name, HIDDEN]));
}
