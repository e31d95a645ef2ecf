/** A response as a client that follows RFC 9112 section 6.3 to the letter reads it. */
export interface ReadResponse {
  readonly status: number;
  /** Status line and fields. */
  readonly head: string;
  readonly body: string;
  /** What follows the last chunk. */
  readonly trailers: string;
  /** False where the connection ended, or nothing has come yet, in the middle of the message. */
  readonly complete: boolean;
}

const HEAD = /^HTTP\/1\.1 (\d{3}) [^\r\n]*(?:\r\n[!#$%&'*+.^_`|~\w-]+:[^\r\n]*)*\r\n\r\n/;

/**
 * Reads a connection's bytes as responses to `methods`. @param ended the connection has ended, cleanly unless `reset`.
 * @throws Error where the bytes are not HTTP.
 */
export function readResponses(
  bytes: string,
  methods: readonly string[],
  ended: "open" | "end" | "reset",
): ReadResponse[] {
  const all: ReadResponse[] = [];
  let rest = bytes;
  let answered = 0;
  while (rest !== "") {
    const match = HEAD.exec(rest);
    if (!match) {
      if (rest.includes("\r\n\r\n") || ended !== "open")
        throw new Error(`not a response: ${JSON.stringify(rest)}`);
      return all;
    }
    const status = Number(match[1]);
    const [head] = match;
    rest = rest.slice(head.length);
    if (status < 200 && status !== 101) {
      all.push({ status, head, body: "", trailers: "", complete: true });
      continue;
    }
    const read = readBody(head, status, methods[answered] ?? "GET", rest, ended);
    answered++;
    all.push({ status, head, ...read });
    rest = rest.slice(read.taken);
    if (!read.complete) return all;
  }
  return all;
}

interface ReadBody {
  readonly body: string;
  readonly trailers: string;
  readonly complete: boolean;
  readonly taken: number;
}

function readBody(head: string, status: number, method: string, rest: string, ended: string): ReadBody {
  const none = { body: "", trailers: "", complete: true, taken: 0 };
  if (method === "HEAD" || status === 204 || status === 304) return none;
  const coding = field(head, "transfer-encoding");
  const length = field(head, "content-length");
  if (coding !== undefined && length !== undefined) throw new Error(`two framings: ${head}`);
  if (coding !== undefined) return readChunks(rest);
  if (length === undefined)
    return { body: rest, trailers: "", complete: ended === "end", taken: rest.length };
  const size = Number(length);
  return { body: rest.slice(0, size), trailers: "", complete: rest.length >= size, taken: size };
}

function readChunks(rest: string): ReadBody {
  let body = "";
  let at = 0;
  for (;;) {
    const line = /^([0-9a-f]+)[^\r\n]*\r\n/i.exec(rest.slice(at));
    if (!line) return { body, trailers: "", complete: false, taken: rest.length };
    at += line[0].length;
    const size = Number.parseInt(line[1]!, 16);
    if (size === 0) break;
    body += rest.slice(at, at + size);
    at += size + 2;
    if (at > rest.length) return { body, trailers: "", complete: false, taken: rest.length };
  }
  const trailers = /^(?:[^\r\n]+\r\n)*\r\n/.exec(rest.slice(at));
  if (!trailers) return { body, trailers: "", complete: false, taken: rest.length };
  return { body, trailers: trailers[0], complete: true, taken: at + trailers[0].length };
}

export function field(head: string, name: string): string | undefined {
  return new RegExp(`\\r\\n${name}:[ \\t]*([^\\r\\n]*)`, "i").exec(head)?.[1];
}
