import type { Field } from "../../../core/forwarding.ts";

/** Pairs of a flat list, without the pseudo-fields. */
export function fieldsOfRaw(raw: readonly string[]): Field[] {
  return pairsOf(raw).filter(([name]) => !name.startsWith(":"));
}

/** All pairs of a flat list. */
export function pairsOf(raw: readonly string[]): Field[] {
  const fields: Field[] = [];
  for (let i = 0; i < raw.length; i += 2) fields.push([raw[i]!, raw[i + 1]!]);
  return fields;
}

/** Adds fields to a flat list, in lower case as HTTP/2 has them (RFC 9113 section 8.2.1). */
export function flatFields(
  fields: readonly Field[],
  into: string[],
  drop: (name: string) => boolean = () => false,
): string[] {
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (!drop(lower)) into.push(lower, value);
  }
  return into;
}

/** The same for what takes no list: repeated fields stay repeated. */
export function grouped(fields: readonly Field[]): Record<string, string[]> {
  const all: Record<string, string[]> = Object.create(null);
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (all[lower] === undefined) all[lower] = [value];
    else all[lower].push(value);
  }
  return all;
}

/** The first value of a field by its lower-case name. */
export function fieldOf(fields: readonly Field[], name: string): string | undefined {
  return fields.find((field) => field[0].toLowerCase() === name)?.[1];
}
