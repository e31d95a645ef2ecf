/** A message as `wire` writes it, with its framing taken off. Only for what `wire` wrote: it is always regular. */
export interface Framed {
  readonly head: string;
  readonly body: string;
  /** The trailer section with its empty line; empty where the body is not chunked, or not whole. */
  readonly trailer: string;
  /** What follows a chunked body. */
  readonly rest: string;
}

/** @throws Error where a chunk is not as `wire` writes it */
export function takeOff(text: string): Framed {
  const end = text.indexOf("\r\n\r\n") + 4;
  if (end < 4) return { head: text, body: "", trailer: "", rest: "" };
  const head = text.slice(0, end);
  const body = text.slice(end);
  return head.includes("\r\nTransfer-Encoding: chunked\r\n")
    ? { head, ...takeChunks(body) }
    : { head, body, trailer: "", rest: "" };
}

function takeChunks(text: string): Omit<Framed, "head"> {
  let body = "";
  for (let at = 0; at < text.length; ) {
    const line = text.indexOf("\r\n", at);
    const size = text.slice(at, line);
    if (line < 0 || !/^[\da-f]+$/.test(size))
      throw new Error(`not a chunk: ${JSON.stringify(text.slice(at))}`);
    at = line + 2;
    const length = Number.parseInt(size, 16);
    if (length === 0) {
      const end = text.startsWith("\r\n", at) ? at + 2 : text.indexOf("\r\n\r\n", at) + 4;
      return { body, trailer: text.slice(at, end), rest: text.slice(end) };
    }
    body += text.slice(at, at + length);
    if (text.slice(at + length, at + length + 2) !== "\r\n") throw new Error("a chunk without its end");
    at += length + 2;
  }
  return { body, trailer: "", rest: "" };
}
