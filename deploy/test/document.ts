import { readFileSync } from "node:fs";
import { rootPath } from "../../apps/router/test/support/child.ts";

/** A fenced block of a document: its language, a word behind it that says where it runs, and its lines. */
export interface Block {
  readonly language: string;
  readonly where: string;
  readonly text: string;
}

export function blocksOf(file: string): Block[] {
  const found = readFileSync(rootPath(file), "utf8").matchAll(/^```(\w+)(?: (\w+))?\n([\s\S]*?)^```/gm);
  return [...found].map(([, language, where = "", text]) => ({ language: language!, where, text: text! }));
}

/** Each line of the shell blocks that run at one place. */
export function commandsOf(file: string, where: string): string[] {
  return blocksOf(file)
    .filter((block) => block.language === "sh" && block.where === where)
    .flatMap(({ text }) => text.trim().split("\n"));
}

/** The only block of a language. */
export function blockOf(file: string, language: string): string {
  const [block, ...more] = blocksOf(file).filter((block) => block.language === language);
  if (!block || more.length > 0) throw new Error(`${file} has not exactly one block of ${language}.`);
  return block.text;
}

/** A text with other paths and addresses. */
export function replaceAll(text: string, replacements: Readonly<Record<string, string>>): string {
  return Object.entries(replacements).reduce((all, [from, to]) => all.replaceAll(from, to), text);
}
