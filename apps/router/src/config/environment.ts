import type { Problem } from "./errors.ts";
import { keyOf, type Path } from "./key.ts";

/** Stands for a value that could not be found out, so that nothing else is said about it. */
export const UNKNOWN: unique symbol = Symbol("unknown");

export interface Expanded {
  readonly value: unknown;
  readonly problems: readonly Problem[];
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Replaces `${NAME}` in every value, at any depth, by the environment's; `$${` stands for a plain `${`. */
export function expandEnvironment(root: unknown, env: NodeJS.ProcessEnv): Expanded {
  const problems: Problem[] = [];

  function expand(value: unknown, path: Path): unknown {
    if (typeof value === "string") return expandText(value, path);
    if (Array.isArray(value)) return value.map((item, index) => expand(item, [...path, index]));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, item]) => [key, expand(item, [...path, key])] as const);
    return Object.fromEntries(entries);
  }

  function expandText(text: string, path: Path): unknown {
    const faults: string[] = [];
    const replaced = text.replace(
      /\$\$\{|\$\{([^}]*)(\}?)/g,
      (whole, name: string | undefined, end: string) => {
        if (whole === "$${") return "${";
        if (!end || !NAME.test(name ?? ""))
          faults.push(`\${ that does not begin a \${NAME}; write $\${ for a plain \${`);
        else if (env[name ?? ""] === undefined)
          faults.push(`\${${name}}, and the environment has no ${name}`);
        return env[name ?? ""] ?? "";
      },
    );
    const key = keyOf(path);
    problems.push(...faults.map((fault) => ({ key, message: `${key} names ${fault}.` })));
    return faults.length > 0 ? UNKNOWN : replaced;
  }

  return { value: expand(root, []), problems };
}
