import type { z } from "zod";
import { plural } from "../../core/verdict/numbers.ts";

/** Characters of a refused value that are repeated. */
const LONGEST = 60;

/** What is wrong with a value, and what was expected, where the schema itself does not say it; undefined: the library's words. */
export function inWords(issue: z.core.$ZodRawIssue): string | undefined {
  const expected = expectedOf(issue);
  if (expected === undefined) return undefined;
  const { input } = issue;
  if (input === undefined) return `missing; expected ${expected}`;
  const told = ["number", "string", "boolean"].includes(typeof input) ? JSON.stringify(input) : undefined;
  const short = told !== undefined && told.length <= LONGEST;
  return short ? `${told}; expected ${expected}` : `expected ${expected}`;
}

function expectedOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "too_big":
      return bound(issue.origin, issue.inclusive === false ? "below" : "at most", issue.maximum);
    case "too_small":
      return bound(issue.origin, issue.inclusive === false ? "above" : "at least", issue.minimum);
    case "invalid_value":
      return issue.values.map(String).join(" or ");
    case "invalid_type":
      return named(issue.expected);
    default:
      return undefined;
  }
}

function named(type: string): string {
  if (type === "int") return "a whole number";
  return `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`;
}

/** "a number of at most 100", "at most 500 characters", "at least 1". */
function bound(origin: string, than: string, limit: number | bigint): string {
  if (origin === "string") return `${than} ${plural(Number(limit), "character")}`;
  if (origin !== "number" && origin !== "int") return `${than} ${limit}`;
  return `a number ${than.startsWith("at") ? `of ${than}` : than} ${limit}`;
}
