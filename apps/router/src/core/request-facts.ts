/** What is known of a request once its head is read, whichever engine read it. */
export interface RequestFacts {
  readonly method: string;
  /** Path and query, byte for byte as the client sent them (origin form). */
  readonly path: string;
  /**
   * The field's value by its lower-case name, several joined by ", " (RFC 9110 section 5.3). Not the first alone: a
   * proxy that adds a line of X-Forwarded-For puts it below the one that its client made up.
   */
  readonly header: (name: string) => string | undefined;
  /** Address of the connection's other end. */
  readonly peer: string;
  /** How the client said it: `1.0`, `1.1` or `2`; undefined where nothing could be read. */
  readonly httpVersion?: string;
}

/** The value of a cookie in a `Cookie` field (RFC 6265 section 4.2.1), undefined where it is missing or empty. */
export function cookieValue(field: string | undefined, name: string): string | undefined {
  if (field === undefined) return undefined;
  for (const pair of field.split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    return value === "" ? undefined : value;
  }
  return undefined;
}

/** The value of a query parameter, percent-encoded as it was sent; undefined where it is missing or empty. */
export function queryValue(path: string, name: string): string | undefined {
  const start = path.indexOf("?");
  if (start < 0) return undefined;
  for (const pair of path.slice(start + 1).split("&")) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals) === name) return pair.slice(equals + 1) || undefined;
  }
  return undefined;
}
