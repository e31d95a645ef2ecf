import { z } from "zod";
import { Refused } from "./errors.ts";

/** What the configuration table says of an option. */
export interface OptionDoc {
  /** As it would stand in the file; it goes through the same checks as what a user writes. Absent: no default. */
  readonly default?: unknown;
  readonly required?: boolean;
  readonly unit?: string;
  readonly about: string;
}

/** A group of options; its own entry is not in the table, those of its shape are. */
export interface SectionDoc {
  readonly shape: z.core.$ZodShape;
  /** How the keys below are written, such as `colors.NAME`; the section's own key when absent. */
  readonly as?: string;
}

const options = new WeakMap<z.core.$ZodType, OptionDoc>();
const sections = new WeakMap<z.core.$ZodType, SectionDoc>();

export const optionDoc = (schema: z.core.$ZodType): OptionDoc | undefined => options.get(schema);
export const sectionDoc = (schema: z.core.$ZodType): SectionDoc | undefined => sections.get(schema);

/** A value that `parse` reads or refuses. */
export function parsed<T>(parse: (value: unknown) => T) {
  return z.unknown().transform((value, context) => {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  });
}

/** Gives a value its default and its line in the table. */
export function option<T>(schema: z.ZodType<T>, doc: OptionDoc): z.ZodType<T> {
  const whole = "default" in doc ? schema.prefault(doc.default as never) : schema;
  options.set(whole, doc);
  return whole;
}

/** A mapping with these keys and no others; without it, or with nothing in it, every option has its default. */
export function section<S extends z.core.$ZodLooseShape>(shape: S) {
  const filled = z
    .preprocess((value) => value ?? {}, strict(shape, "a section of options"))
    .prefault({} as never);
  sections.set(filled, { shape });
  return filled;
}

/** A mapping with these keys and no others. `expected` says what stands here, for the one who wrote something else. */
export function strict<S extends z.core.$ZodLooseShape>(shape: S, expected: string) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "invalid_type" ? `expected ${expected}` : undefined),
  });
}

/** Lists in the table the options of something that `section` did not make. */
export function documented<T extends z.core.$ZodType>(schema: T, doc: SectionDoc, own?: OptionDoc): T {
  sections.set(schema, doc);
  if (own) options.set(schema, own);
  return schema;
}

export function list<T>(item: z.ZodType<T>, of: string) {
  return z.array(item, { error: `expected a list of ${of}, in brackets` });
}
