/** What a field means to a proxy; found by the length and the letters of its name. */
export const FIELD = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  /** Concerns one connection and is never forwarded (RFC 9110 section 7.6.1). */
  hopByHop: 5,
  te: 6,
  upgrade: 7,
  expect: 8,
  trailer: 9,
  via: 10,
  forwardedFor: 11,
  /** `Forwarded`. */
  forwarded: 12,
  forwardedProto: 13,
  forwardedHost: 14,
  /** Further claims about the client that only a trusted proxy may make. */
  claim: 15,
  requestId: 16,
  /** Ours to say, in either direction. */
  own: 17,
  cookie: 18,
  date: 19,
  /** `traceparent` and `tracestate`. */
  trace: 20,
} as const;

/** By the length of the name, so that most names are compared with nothing. */
const BY_LENGTH: (readonly (readonly [string, number])[])[] = [];
const NAMES: readonly (readonly [string, number])[] = [
  ["host", FIELD.host],
  ["content-length", FIELD.contentLength],
  ["transfer-encoding", FIELD.transferEncoding],
  ["connection", FIELD.connection],
  ["close", FIELD.hopByHop],
  ["keep-alive", FIELD.hopByHop],
  ["proxy-connection", FIELD.hopByHop],
  ["proxy-authenticate", FIELD.hopByHop],
  ["proxy-authorization", FIELD.hopByHop],
  ["te", FIELD.te],
  ["upgrade", FIELD.upgrade],
  ["expect", FIELD.expect],
  ["trailer", FIELD.trailer],
  ["via", FIELD.via],
  ["x-forwarded-for", FIELD.forwardedFor],
  ["forwarded", FIELD.forwarded],
  ["x-forwarded-proto", FIELD.forwardedProto],
  ["x-forwarded-host", FIELD.forwardedHost],
  ["x-forwarded-port", FIELD.claim],
  ["x-forwarded-server", FIELD.claim],
  ["x-real-ip", FIELD.claim],
  ["x-request-id", FIELD.requestId],
  ["x-sluice-color", FIELD.own],
  ["x-sluice-secret", FIELD.own],
  ["x-sluice-shadow", FIELD.own],
  ["cookie", FIELD.cookie],
  ["date", FIELD.date],
  ["traceparent", FIELD.trace],
  ["tracestate", FIELD.trace],
];
for (let length = 0; length <= 19; length++)
  BY_LENGTH[length] = NAMES.filter(([name]) => name.length === length);

/** The kind of the field whose name, in any case, lies between `start` and `end`. */
export function fieldKind(bytes: Uint8Array, start: number, end: number): number {
  const candidates = BY_LENGTH[end - start];
  if (candidates === undefined) return FIELD.other;
  for (let i = 0; i < candidates.length; i++) {
    const [name, kind] = candidates[i]!;
    if (equals(bytes, start, name)) return kind;
  }
  return FIELD.other;
}

/** Compares with a lower-case name. */
function equals(bytes: Uint8Array, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i]!;
    const lower = byte >= 65 && byte <= 90 ? byte | 32 : byte;
    if (lower !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** Bit per kind, as in a head's `seen`. */
export function kinds(...some: readonly number[]): number {
  return some.reduce((bits, kind) => bits | (1 << kind), 0);
}

/** What never goes on as it came, in either direction: it concerns one connection, or is ours to say. */
export const OF_ONE_HOP = kinds(
  FIELD.transferEncoding,
  FIELD.connection,
  FIELD.hopByHop,
  FIELD.te,
  FIELD.upgrade,
  FIELD.via,
  FIELD.requestId,
  FIELD.own,
);
