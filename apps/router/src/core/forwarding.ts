/** Which fields pass a proxy, and which it adds (RFC 9110 section 7.6, RFC 7239). */

import { withoutBlanks } from "./blanks.ts";

/** A header field as it was sent: name, value. */
export type Field = readonly [name: string, value: string];

/**
 * RFC 9110 section 7.6.1, with the two that predate it, and `close`, a name reserved because the connection option would remove it (RFC 9112
 * section 9.6). They concern one connection and are never forwarded.
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "close",
  "connection",
  "proxy-connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "proxy-authenticate",
  "proxy-authorization",
]);

/** Framing and routing would change under the message if `Connection` could name these away. */
const NOT_REMOVABLE: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-request-id",
]);

/** What untrusted clients may not claim about themselves. */
const CLAIMS: ReadonlySet<string> = new Set([
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-server",
  "x-real-ip",
  "forwarded",
]);

/** Ours to say, in either direction. */
const OWN: ReadonlySet<string> = new Set([
  "x-sluice-color",
  "x-sluice-secret",
  "x-sluice-shadow",
  "x-request-id",
]);

/** W3C Trace Context. */
const TRACE: ReadonlySet<string> = new Set(["traceparent", "tracestate"]);

export const PSEUDONYM = "sluice";

/** The fields that `Connection` names, in lower case, but for those that it must not remove. */
export function namedByConnection(fields: readonly Field[]): ReadonlySet<string> {
  const named = new Set<string>();
  for (const [name, value] of fields) {
    if (name.toLowerCase() !== "connection") continue;
    for (const option of value.split(",")) named.add(withoutBlanks(option).toLowerCase());
  }
  for (const name of NOT_REMOVABLE) named.delete(name);
  return named;
}

export interface Forwarding {
  /** Address of the connection's other end. */
  readonly peer: string;
  /** Its word about the client is taken. */
  readonly trusted: boolean;
  readonly host: string;
  readonly scheme: "http" | "https";
  readonly requestId: string;
  readonly httpVersion: string;
  /** A further field to drop, in lower case: the configured override header. */
  readonly drop?: string | undefined;
  /** The trace goes on under fields of our own. */
  readonly traced?: boolean;
}

/** The request's fields as an upstream gets them: framing is left to the engine. */
export function requestFields(fields: readonly Field[], by: Forwarding): Field[] {
  const named = namedByConnection(fields);
  const kept: Field[] = [["Host", by.host]];
  for (const field of fields) {
    const name = field[0].toLowerCase();
    if (HOP_BY_HOP.has(name) || named.has(name) || OWN.has(name) || name === by.drop) continue;
    if (by.traced && TRACE.has(name)) continue;
    if (name === "host" || name === "expect" || name === "via" || CLAIMS.has(name)) continue;
    kept.push(field);
  }
  return kept.concat(forwardedFields(fields, by));
}

/** What a request says of where it came from and through whom. */
export function forwardedFields(fields: readonly Field[], by: Forwarding): Field[] {
  const told = (name: string) => (by.trusted ? joined(fields, name) : undefined);
  const host = told("x-forwarded-host") ?? by.host; // empty for an HTTP/1.0 client that named none
  const added: Field[] = [
    ["X-Forwarded-For", append(told("x-forwarded-for"), by.peer)],
    ["X-Forwarded-Proto", told("x-forwarded-proto") ?? by.scheme],
    ...(host === "" ? [] : ([["X-Forwarded-Host", host]] as const)),
    ["Forwarded", append(told("forwarded"), forwardedElement(by))],
    ["Via", append(joined(fields, "via"), `${by.httpVersion} ${PSEUDONYM}`)],
    ["X-Request-Id", by.requestId],
  ];
  for (const name of ["X-Forwarded-Port", "X-Forwarded-Server", "X-Real-IP"]) {
    const value = told(name.toLowerCase());
    if (value !== undefined) added.push([name, value]);
  }
  return added;
}

/** RFC 7239 section 4; an IPv6 address stands in brackets and quotes (section 6). */
function forwardedElement(by: Forwarding): string {
  const node = by.peer.includes(":") ? `"[${by.peer}]"` : by.peer;
  const host = by.host === "" ? "" : `host="${by.host.replace(/["\\]/g, "\\$&")}";`;
  return `for=${node};${host}proto=${by.scheme}`;
}

/**
 * The response's end-to-end fields as a client gets them, without what we say ourselves, with our place in `Via`
 * (RFC 9110 section 7.6.3). A 204 has no length to state (section 8.6).
 */
export function responseFields(
  fields: readonly Field[],
  by: { httpVersion: string; status: number },
): Field[] {
  const named = namedByConnection(fields);
  const kept = fields.filter(([name]) => {
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || named.has(lower) || OWN.has(lower) || lower === "via") return false;
    return lower !== "content-length" || by.status !== 204;
  });
  kept.push(["Via", append(joined(fields, "via"), `${by.httpVersion} ${PSEUDONYM}`)]);
  return kept;
}

function append(before: string | undefined, value: string): string {
  return before ? `${before}, ${value}` : value;
}

/** All values of a field in one line (RFC 9110 section 5.3), undefined where there is none. */
export function joined(fields: readonly Field[], name: string): string | undefined {
  const values = fields.filter((field) => field[0].toLowerCase() === name).map((field) => field[1]);
  return values.length === 0 ? undefined : values.join(", ");
}

/** What no trailer section may say: framing, routing, and who is who (RFC 9110 section 6.5.1). */
const NO_TRAILER =
  /^(?:transfer-encoding|content-length|host|close|connection|keep-alive|proxy-.*|te|trailer|upgrade|via|forwarded|x-forwarded-.*|x-request-id|x-sluice-.*|content-type|content-encoding|content-range|authorization|cookie|set-cookie|cache-control|expect|max-forwards|pragma|range|if-.*|age|date|expires|location|retry-after|vary|warning)$/i;

/** Whether a field of this name goes on in a trailer section. */
export function mayBeTrailer(name: string): boolean {
  return !NO_TRAILER.test(name);
}
