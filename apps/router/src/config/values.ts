import { parseAddress, parseCidr } from "./address.ts";
import { Refused } from "./errors.ts";
import { list, parsed } from "./option.ts";
import { parseDuration, parseSize } from "./units.ts";

/** RFC 9110 section 5.6.2: what a header or a cookie may be called. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** `zero` where nothing at all is meaningful. */
export const duration = (rule: { zero?: boolean } = {}) => parsed((value) => parseDuration(value, rule));
export const noneOrDuration = () =>
  parsed((value) => (value === "none" ? undefined : parseDuration(value, { zero: true })));
export const size = (rule: { zero?: boolean } = {}) => parsed((value) => parseSize(value, rule));
export const address = () => parsed(parseAddress);
export const cidrs = () => list(parsed(parseCidr), "ranges of addresses");

/** Numbers may come from the environment, where everything is text. */
function toNumber(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
}

export function number(what: string, fits: (value: number) => boolean) {
  return parsed((value) => {
    const found = toNumber(value);
    if (!Number.isFinite(found) || !fits(found)) throw Refused.expected(what);
    return found;
  });
}

export const share = () => number("a share between 0 and 1", (value) => value >= 0 && value <= 1);

export function whole(min: number, max: number) {
  const fits = (value: number) => Number.isInteger(value) && value >= min && value <= max;
  return number(`a whole number from ${min} to ${max}`, fits);
}

export const boolean = () =>
  parsed((value) => {
    if (value === true || value === "true") return true;
    if (value === false || value === "false") return false;
    throw Refused.expected("true or false");
  });

/** One of a few words; `later` are words that a later version will know, each with its sentence. */
export function word<const W extends string>(
  words: readonly W[],
  later: Readonly<Record<string, string>> = {},
) {
  return parsed((value): W => {
    const found = words.find((each) => each === String(value));
    if (found !== undefined) return found;
    const known = words.length > 1 ? `${words.slice(0, -1).join(", ")} or ${words.at(-1)}` : words[0];
    const why = typeof value === "string" && Object.hasOwn(later, value) ? `${later[value]}; ` : "";
    throw new Refused(`${why}expected ${known}`);
  });
}

export const text = (what: string) =>
  parsed((value) => {
    if (typeof value !== "string" || value === "") throw Refused.expected(what);
    return value;
  });

/** A name of a header, in lower case because headers are compared so. */
export const headerName = () => parsed((value) => token(value, "the name of a header").toLowerCase());
export const cookieName = () => parsed((value) => token(value, "the name of a cookie"));

function token(value: unknown, what: string): string {
  if (typeof value !== "string" || !TOKEN.test(value)) throw Refused.expected(what);
  return value;
}

/** What a header can carry as it stands. A number is refused: YAML has then dropped its leading zeros. */
export const secret = () =>
  parsed((value) => {
    if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) return value;
    throw Refused.expected(
      "text of visible ASCII characters without spaces; a number has to stand in quotes",
    );
  });

/** A path as it stands in a request line, without a query. */
export function isPath(value: unknown): value is string {
  return typeof value === "string" && /^\/[\x21-\x7e]*$/.test(value) && !/[?#]/.test(value);
}
