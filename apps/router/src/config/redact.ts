import type { Config, HookConfig } from "./config.ts";

const HIDDEN = "***";

/** The same configuration without its secrets, for logs, `sluice check --json` and bug reports. */
export function redactedConfig(config: Config): Config {
  const { admin, override, tracing, hooks } = config;
  return {
    ...config,
    admin: { ...admin, tokens: admin.tokens.map(({ scope }) => ({ token: HIDDEN, scope })) },
    override: override && { ...override, secret: override.secret === undefined ? undefined : HIDDEN },
    hooks: Object.fromEntries(Object.entries(hooks).map(([name, hook]) => [name, redactedHook(hook)])),
    tracing: tracing && { ...tracing, headers: hidden(tracing.headers) },
  };
}

function hidden(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(fields).map((name) => [name, HIDDEN]));
}

/** Without its secrets: a query may hold a token, and so may arguments; the program may be seen. */
function redactedHook(hook: HookConfig): HookConfig {
  if ("url" in hook) {
    return { ...hook, url: hook.url.replace(/\?.*/, `?${HIDDEN}`), headers: hidden(hook.headers) };
  }
  const [program = "", ...rest] = hook.command;
  return { ...hook, command: [program, ...rest.map(() => HIDDEN)], env: hidden(hook.env) };
}
