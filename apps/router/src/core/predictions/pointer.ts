/** JSON Pointers (RFC 6901) in which `*` stands for every element of an array. */

export interface Pointer {
  /** As it was written: `/predictions/*\/fare_amount`. */
  readonly text: string;
  readonly parts: readonly string[];
}

/** Parts that a pointer may have. */
const MOST_PARTS = 32;

/** Stands for a place that is not there. */
export const MISSING = Symbol("missing");

/** @throws RangeError that says what was expected */
export function parsePointer(text: string): Pointer {
  const parts = text.split("/").slice(1);
  const wellFormed = text.startsWith("/") && parts.length <= MOST_PARTS && !/~(?![01])/.test(text);
  if (!wellFormed) {
    throw new RangeError(
      `${JSON.stringify(text)} is no JSON Pointer; expected one such as /predictions/*/fare_amount, where * stands for every element`,
    );
  }
  return { text, parts: parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~")) };
}

/**
 * What stands at a pointer, in the order of the document; {@link MISSING} for each place that is not there.
 * @param most once there are more, it is enough
 */
export function valuesAt(json: unknown, { parts }: Pointer, most = Number.POSITIVE_INFINITY): unknown[] {
  const found: unknown[] = [];
  const walk = (value: unknown, depth: number): void => {
    if (depth === parts.length) found.push(value);
    else if (parts[depth] !== "*" || !Array.isArray(value)) walk(step(value, parts[depth]!), depth + 1);
    else if (value.length === 0) found.push(MISSING);
    else for (let i = 0; i < value.length && found.length <= most; i++) walk(value[i], depth + 1);
  };
  walk(json, 0);
  return found;
}

function step(value: unknown, part: string): unknown {
  if (Array.isArray(value)) {
    return /^(?:0|[1-9]\d{0,9})$/.test(part) && Number(part) < value.length ? value[Number(part)] : MISSING;
  }
  const isObject = typeof value === "object" && value !== null;
  return isObject && Object.hasOwn(value, part) ? (value as Record<string, unknown>)[part] : MISSING;
}
