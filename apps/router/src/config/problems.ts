import type { z } from "zod";
import { show } from "./display.ts";
import { UNKNOWN } from "./environment.ts";
import type { Problem } from "./errors.ts";
import { keyOf, type Path, valueAt } from "./key.ts";
import { suggestion } from "./options.ts";

type Issue = z.core.$ZodIssue;

/**
 * The schema's objections as sentences: `health.interval is 2; expected a duration …`.
 * @param source the file's values, for what it says itself
 * @param expanded the same with the environment's values in place
 */
export function toProblems(issues: readonly Issue[], source: unknown, expanded: unknown): Problem[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") return issue.keys.map((name) => unknownKey(issue.path, name));
    const value = valueAt(expanded, issue.path);
    if (value === UNKNOWN) return [];
    return [refused(issue.path, value, valueAt(source, issue.path), issue.message)];
  });
}

function unknownKey(path: Path, name: string): Problem {
  const key = keyOf([...path, name]);
  return { key, message: `${key} is not an option; ${suggestion(keyOf(path), name)}` };
}

function refused(path: Path, value: unknown, source: unknown, expected: string): Problem {
  const key = keyOf(path);
  const shown = value === undefined ? "missing" : show(value, path, source);
  return { key, message: `${key || "the file"} is ${shown}; ${expected}.` };
}
