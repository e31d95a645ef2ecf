import { distance } from "fastest-levenshtein";
import type { z } from "zod";
import { type OptionDoc, optionDoc, sectionDoc } from "./option.ts";
import { fileSchema } from "./schema.ts";

export interface Option extends OptionDoc {
  /** Dotted; `NAME` stands for a color's or a hook's name and `[]` for each item of a list: `admin.tokens[].scope`. */
  readonly key: string;
}

/** Every option, in the order of the schema. */
export function allOptions(): readonly Option[] {
  return Object.entries(shapeOf(fileSchema)).flatMap(([key, schema]) => optionsAt(key, schema));
}

function shapeOf(schema: { readonly shape: z.core.$ZodShape }): z.core.$ZodShape {
  return schema.shape;
}

function optionsAt(key: string, schema: z.core.$ZodType): Option[] {
  const own = optionDoc(schema);
  const section = sectionDoc(schema);
  const rows = own ? [{ key, ...own }] : [];
  if (!section) return rows;
  const prefix = section.as === "[]" ? `${key}[]` : section.as ? `${key}.${section.as}` : key;
  return [
    ...rows,
    ...Object.entries(section.shape).flatMap(([name, each]) => optionsAt(`${prefix}.${name}`, each)),
  ];
}

/** What an unknown key was probably meant to be, as the end of a sentence. `section` is dotted, "" at the top. */
export function suggestion(section: string, name: string): string {
  const within = section.replace(/\[\d+\]/g, "[]").replace(/^(colors|hooks)\.[^.]+/, "$1.NAME");
  const known = childrenOf(within);
  const near = nearest(name, known);
  if (near) return `did you mean ${section ? `${section}.` : ""}${near}?`;
  const elsewhere = allOptions().find(({ key }) => key.endsWith(`.${name}`));
  if (elsewhere) return `did you mean ${elsewhere.key}?`;
  return `expected one of ${known.join(", ")}.`;
}

function childrenOf(section: string): readonly string[] {
  const prefix = section ? `${section}.` : "";
  const inside = allOptions().filter(({ key }) => key.startsWith(prefix));
  return [...new Set(inside.map(({ key }) => key.slice(prefix.length).split(/[.[]/)[0] ?? ""))];
}

/** The closest word, if it is as close as a slip of the finger or two letters that changed places. */
function nearest(name: string, words: readonly string[]): string | undefined {
  const simple = (word: string) => word.toLowerCase().replaceAll("-", "_");
  const ranked = words
    .map((word) => ({ word, away: distance(simple(name), simple(word)) }))
    .sort((a, b) => a.away - b.away);
  const best = ranked[0];
  return best && best.away <= Math.max(1, Math.round(best.word.length * 0.4)) ? best.word : undefined;
}
