import type { Field } from "../../src/core/forwarding.ts";

export function differ(what: string, actual: unknown, expected: unknown): never {
  throw new Error(`${what} differs:\n  ${JSON.stringify(actual)}\n  ${JSON.stringify(expected)}`);
}

/** For plain values: strings, numbers, and arrays of them. */
export function mustEqual(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected && JSON.stringify(actual) !== JSON.stringify(expected))
    differ(what, actual, expected);
}

/** The fields whose names, in lower case, do not match. */
export function without(fields: readonly Field[], names: RegExp): Field[] {
  return fields.filter(([name]) => !names.test(name.toLowerCase()));
}

const NEVER_IN_TRAILERS =
  /^(?:content-length|transfer-encoding|host|connection|te|upgrade|x-forwarded-.*|x-sluice-.*|authorization|set-cookie)$/i;

/** Trailers may be left out on the way, but not those that mean nothing to HTTP; none is added, and none that frames. */
export function checkTrailers(got: readonly Field[], taken: readonly Field[]): void {
  const all = taken.map(String);
  let at = 0;
  for (const field of got) {
    if (NEVER_IN_TRAILERS.test(field[0])) differ("a trailer", field, "none");
    at = all.indexOf(String(field), at) + 1;
    if (at === 0) differ("trailers", got, taken);
  }
  const own = (fields: readonly Field[]) => fields.filter(([name]) => /^x-(?!forw|req|slu)/i.test(name));
  if (String(own(got)) !== String(own(taken))) differ("trailers", got, taken);
}
