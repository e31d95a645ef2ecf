import { readFileSync } from "node:fs";
import { unescaped } from "./escape.ts";

/** The messages of a corpus file: one a line, escaped; lines that begin with `#` are comments. */
export function corpus(
  name: "requests" | "answers" | "refused-requests" | "refused-answers",
): readonly Buffer[] {
  const text = readFileSync(new URL(`corpus/${name}.txt`, import.meta.url), "latin1");
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(unescaped);
}
