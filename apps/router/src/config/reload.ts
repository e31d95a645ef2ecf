import type { Config } from "./config.ts";

/** What a running router cannot change: sockets, the process layout, where state is kept, and which colors there are. */
export const RESTART_KEYS: readonly string[] = [
  "listen",
  "tls",
  "tls.redirect",
  "admin.listen",
  "admin.tls",
  "metrics.listen",
  "engine",
  "workers",
  "state",
  "colors",
];

export interface ReloadDiff {
  /** Keys whose new values can be taken over at once. */
  readonly applied: readonly string[];
  /** Keys whose new values wait for a restart. */
  readonly restart: readonly string[];
}

/**
 * Which options differ between two configurations, as dotted keys without their values (some are secrets). The key
 * `colors` stands for another set, or another order, of names; `colors.blue.weight` for a changed weight.
 */
export function diffForReload(old: Config, next: Config): ReloadDiff {
  const before = leaves(old);
  const after = leaves(next);
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  const changed = keys.filter((key) => before.get(key) !== after.get(key));
  const sameTls = before.get("tls") === after.get("tls");
  const sameColors = before.get("colors") === after.get("colors");
  const told = sameColors
    ? changed.filter((key) => sameTls || !key.startsWith("tls."))
    : changed.filter((key) => !/^colors\./.test(key) || (before.has(key) && after.has(key)));
  return {
    applied: told.filter((key) => !RESTART_KEYS.includes(key)),
    restart: told.filter((key) => RESTART_KEYS.includes(key)),
  };
}

const SECTIONS = [
  "admin",
  "health",
  "passive",
  "retry",
  "timeouts",
  "limits",
  "metrics",
  "log",
  "upstream_tls",
  "gates",
] as const;

function leaves(config: Config): Map<string, string> {
  const found = new Map<string, string>();
  const put = (key: string, value: unknown) => found.set(key, JSON.stringify(value) ?? "");
  for (const [key, value] of Object.entries(config)) {
    if (SECTIONS.some((name) => name === key)) {
      for (const [name, each] of Object.entries(value)) put(`${key}.${name}`, each);
    } else if (key !== "colors" && key !== "tls") put(key, value);
  }
  put("tls", config.tls !== undefined);
  for (const [name, each] of Object.entries(config.tls ?? {})) put(`tls.${name}`, each);
  put("colors", Object.keys(config.colors));
  for (const [name, { weight, targets }] of Object.entries(config.colors)) {
    put(`colors.${name}.weight`, weight);
    put(`colors.${name}.targets`, targets);
  }
  return found;
}

/** `next` with what decides between plain HTTP and TLS, on either port, as a running router has it. */
export function keepTls(running: Config, next: Config): Config {
  const tls = (running.tls === undefined) === (next.tls === undefined) ? next.tls : running.tls;
  return { ...next, tls, admin: { ...next.admin, tls: running.admin.tls } };
}
