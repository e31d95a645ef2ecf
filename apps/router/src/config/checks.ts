import { targetPlace } from "../core/target-address.ts";
import { formatAddress, isLoopback, isWildcard } from "./address.ts";
import type { Address, Config } from "./config.ts";
import type { Problem } from "./errors.ts";
import { checkTls } from "./tls-checks.ts";

/** Names that mean something else in metrics, in the admin API's bodies, or in JavaScript. */
const RESERVED: readonly string[] = ["none", "weights", "reason", "constructor"];
const COLOR_NAME = /^[a-z][a-z0-9_-]{0,31}$/;

/** What no single option can say about itself. */
export function checkTogether(config: Config): Problem[] {
  return [
    ...checkColors(config),
    ...checkTargets(config),
    ...checkOverride(config),
    ...checkPredictions(config),
    ...checkListeners(config),
    ...checkTls(config),
  ];
}

function checkColors({ colors }: Config): Problem[] {
  const names = Object.keys(colors);
  if (names.length === 0) return [{ key: "colors", message: "colors has no color; expected at least one." }];
  const problems = names.filter((name) => !COLOR_NAME.test(name) || RESERVED.includes(name)).map(badName);
  if (Object.values(colors).every(({ weight }) => weight === 0)) {
    problems.push({
      key: "colors",
      message: "colors have only weights of 0; expected at least one above 0.",
    });
  }
  return problems;
}

function badName(name: string): Problem {
  const wanted = RESERVED.includes(name)
    ? "which is reserved; expected another name"
    : "expected a name of up to 32 lower-case letters, digits, dashes and underscores that begins with a letter";
  return { key: `colors.${name}`, message: `colors has the name ${JSON.stringify(name)}; ${wanted}.` };
}

/** A target has one color: with two, nobody could say which version answered. */
function checkTargets({ colors }: Config): Problem[] {
  const seen = new Map<string, string>();
  return Object.entries(colors).flatMap(([color, { targets }]) =>
    targets.flatMap((target, index) => {
      const key = `colors.${color}.targets[${index}]`;
      const before = seen.get(targetPlace(target));
      if (!before) seen.set(targetPlace(target), key);
      return before
        ? [{ key, message: `${key} is ${target}, the same as ${before}; expected each target once.` }]
        : [];
    }),
  );
}

function checkOverride({ override }: Config): Problem[] {
  if (!override || override.from.length > 0 || override.secret !== undefined) return [];
  const message =
    "override has neither from nor secret, so anyone could choose the color; expected at least one of them.";
  return [{ key: "override", message }];
}

function checkPredictions({ predictions, retry }: Config): Problem[] {
  if (!predictions || predictions.paths.length > 0 || retry.idempotent_paths.length > 0) return [];
  const message =
    "predictions are to be read, but retry.idempotent_paths names no path whose answers have them; expected one there, or in predictions.paths.";
  return [{ key: "predictions", message }];
}

function checkListeners(config: Config): Problem[] {
  const { listen, admin, metrics, tls } = config;
  const problems: Problem[] = [];
  if (!isLoopback(admin.listen.host) && admin.tokens.length === 0) {
    const shown = formatAddress(admin.listen);
    const message = `admin.listen is ${shown}, which other machines can reach; expected a loopback address such as 127.0.0.1:9900, or admin.token or admin.token_file with it.`;
    problems.push({ key: "admin.listen", message });
  }
  const listeners: [string, Address][] = [
    ["listen", listen],
    ["admin.listen", admin.listen],
  ];
  if (tls?.redirect) listeners.push(["tls.redirect", tls.redirect]);
  if (metrics.listen !== "admin") listeners.push(["metrics.listen", metrics.listen]);
  for (const [index, [key, address]] of listeners.entries()) {
    const other = listeners.slice(0, index).find(([, before]) => collide(before, address));
    if (!other) continue;
    const message = `${key} is ${formatAddress(address)}, which ${other[0]} (${formatAddress(other[1])}) already takes; expected an address of its own.`;
    problems.push({ key, message });
  }
  return problems;
}

function collide(a: Address, b: Address): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || isWildcard(a.host) || isWildcard(b.host);
}
